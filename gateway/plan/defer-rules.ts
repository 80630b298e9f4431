// What is asked of `@defer` beyond its arguments' types (the rules of https://github.com/graphql/graphql-spec/pull/742).
import {
  type ASTVisitor,
  DirectiveLocation,
  type DirectiveNode,
  GraphQLBoolean,
  GraphQLDirective,
  GraphQLError,
  GraphQLNonNull,
  GraphQLSchema,
  GraphQLString,
  Kind,
  type ValidationContext,
} from 'graphql';

/** Fragments of one document that may be deferred. */
const DEFERRED_MAX = 50;

const DEFER = new GraphQLDirective({
  name: 'defer',
  description: 'The fragment may follow in an answer of its own, where the client takes several.',
  locations: [DirectiveLocation.FRAGMENT_SPREAD, DirectiveLocation.INLINE_FRAGMENT],
  args: {
    if: { type: new GraphQLNonNull(GraphQLBoolean), defaultValue: true },
    label: { type: GraphQLString },
  },
});

/** The schema with the directive that answers can be parted with. */
export function withDefer(schema: GraphQLSchema): GraphQLSchema {
  const config = schema.toConfig();
  return new GraphQLSchema({ ...config, directives: [...config.directives, DEFER] });
}

/** Labels are texts, and each is used once: by its label a client knows what has come. */
function DeferLabels(context: ValidationContext): ASTVisitor {
  const known = new Map<string, DirectiveNode>();
  return {
    Directive(node) {
      if (node.name.value !== 'defer') return;
      const label = node.arguments?.find(({ name }) => name.value === 'label')?.value;
      if (label === undefined || label.kind === Kind.NULL) return;
      if (label.kind !== Kind.STRING) {
        context.reportError(new GraphQLError('The label of @defer must be a text.', { nodes: node }));
        return;
      }
      const other = known.get(label.value);
      if (other !== undefined) {
        const message = `The label ${JSON.stringify(label.value)} of @defer is used twice.`;
        context.reportError(new GraphQLError(message, { nodes: [other, node] }));
      }
      known.set(label.value, node);
    },
  };
}

/** A change is not put off, and an event is answered in one piece. */
function DeferPlaces(context: ValidationContext): ASTVisitor {
  const subscribes = context
    .getDocument()
    .definitions.some((node) => node.kind === Kind.OPERATION_DEFINITION && node.operation === 'subscription');
  const check = (node: { readonly directives?: readonly DirectiveNode[] | undefined }) => {
    const directive = node.directives?.find(({ name }) => name.value === 'defer');
    if (directive === undefined) return;
    if (subscribes) {
      context.reportError(new GraphQLError('@defer is not for subscriptions.', { nodes: directive }));
    } else if (context.getParentType() === context.getSchema().getMutationType()) {
      context.reportError(
        new GraphQLError('@defer is not for the root fields of mutations.', { nodes: directive }),
      );
    }
  };
  return { InlineFragment: check, FragmentSpread: check };
}

function DeferCount(context: ValidationContext): ASTVisitor {
  let count = 0;
  return {
    Directive(node) {
      if (node.name.value !== 'defer') return;
      count += 1;
      if (count !== DEFERRED_MAX + 1) return;
      const message = `A document defers at most ${DEFERRED_MAX} fragments.`;
      context.reportError(new GraphQLError(message, { nodes: node }));
    },
  };
}

export const DEFER_RULES = [DeferLabels, DeferPlaces, DeferCount] as const;
