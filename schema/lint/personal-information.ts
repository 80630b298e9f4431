// UNPROTECTED_PERSONAL_INFORMATION: fields that by name or description hold personal information, and that anybody may read.
import { type FieldDefinitionNode, Kind } from 'graphql';
import type { UnplacedProblem } from '../problem.ts';
import { namedTypeOf } from '../type-references.ts';
import { type LintMember, type MemberType, ROOT_TYPES, textOf } from './lint-member.ts';

/** GB/T 35273-2020, annex A; what annex B holds for sensitive is marked. */
interface Category {
  readonly title: string;
  readonly isSensitive: boolean;
  /** Names of fields, in lower case without separators; a whole name, or its end (`reporterPhone`). */
  readonly names: readonly string[];
  /** Words in descriptions: Chinese ones anywhere, English ones as words; code tables by their number. */
  readonly words: readonly string[];
}

const CATEGORIES: readonly Category[] = [
  {
    title: '个人身份信息',
    isSensitive: true,
    names: [
      'idnumber',
      'identitynumber',
      'identitycard',
      'idcard',
      'idcardno',
      'passport',
      'passportno',
      'passportnumber',
      'drivinglicence',
      'drivinglicense',
      'socialsecuritynumber',
      'sfzh',
      'sfzhm',
      'zjhm',
      'gmsfhm',
    ],
    words: [
      '身份证',
      '证件号',
      '公民身份号码',
      '护照',
      '军官证',
      '驾驶证',
      '社保卡',
      '居住证',
      'identity number',
      'identity card',
      'passport number',
      'GB 11643',
    ],
  },
  {
    title: '个人生物识别信息',
    isSensitive: true,
    names: ['fingerprint', 'faceimage', 'facefeature', 'iris', 'voiceprint', 'dna'],
    words: ['指纹', '人脸', '虹膜', '声纹', '掌纹', '基因', 'fingerprint', 'biometric'],
  },
  {
    title: '个人健康生理信息',
    isSensitive: true,
    names: ['diagnosis', 'medicalhistory', 'bloodtype', 'disability', 'allergies'],
    words: ['病历', '病史', '诊断', '病症', '残疾', '用药记录', '过敏', 'medical record', 'diagnosis'],
  },
  {
    title: '个人财产信息',
    isSensitive: true,
    names: ['bankaccount', 'bankcard', 'bankcardno', 'income', 'salary', 'yhkh', 'yhzh'],
    words: ['银行账', '银行卡', '存款', '房产信息', '征信', '纳税', 'bank account'],
  },
  {
    title: '个人基本资料',
    isSensitive: false,
    names: [
      'fullpersonname',
      'personname',
      'realname',
      'citizenname',
      'reportername',
      'contactname',
      'applicantname',
      'callername',
      'birthday',
      'birthdate',
      'dateofbirth',
      'gender',
      'ethnicity',
      'homeaddress',
      'email',
      'phone',
      'phonenumber',
      'mobile',
      'mobilenumber',
      'telephone',
      'contactnumber',
      'xm',
      'csrq',
      'lxdh',
      'sjh',
      'sjhm',
      'jtzz',
      'hjdz',
    ],
    words: [
      '姓名',
      '出生日期',
      '性别',
      '民族',
      '家庭关系',
      '住址',
      '户籍地址',
      '电话号码',
      '联系电话',
      '手机',
      '电子邮箱',
      'phone number',
      'date of birth',
      'GB/T 2261.1',
      'GB/T 3304',
    ],
  },
  {
    title: '个人通信信息',
    isSensitive: true,
    names: ['callrecording', 'recordingurl', 'smstext'],
    words: [
      '通信记录',
      '通话录音',
      '短信内容',
      'recording of the call',
      "reporter's own words",
      'in their own words',
    ],
  },
  {
    title: '个人位置信息',
    isSensitive: true,
    names: ['track', 'trajectory', 'currentlocation', 'whereabouts'],
    words: ['行踪', '轨迹', '住宿信息', '精准定位', 'whereabouts'],
  },
  {
    title: '其他信息',
    isSensitive: true,
    names: [
      'maritalstatus',
      'religion',
      'criminalrecord',
      'sexualorientation',
      'wechatid',
      'licenceplate',
      'licenseplate',
      'platenumber',
    ],
    words: [
      '婚史',
      '婚姻状况',
      '宗教信仰',
      '性取向',
      '违法犯罪记录',
      '车牌',
      'criminal record',
      'GB/T 2261.2',
      'personal information',
      '个人信息',
    ],
  },
];

/** Types that are of people: there `name`, `address`, `contact` and the like are of one. */
const PERSON =
  /(Person|People|Citizen|Resident|Reporter|Caller|Applicant|Contact|Worker|Officer|Patient|Student|Pensioner|Employee|Staff|Driver|Owner|Member|User|Household|Complainant|Petitioner|Witness|Victim|Suspect)$/;
const OF_PEOPLE = new Set(['name', 'address', 'contact', 'age', 'number', 'photo', 'avatar']);

const LEAVES: ReadonlySet<string> = new Set(['String', 'ID', 'Int', 'Float', 'DateTime', 'Date']);

/**
 * A leaf of objects and interfaces whose name or description falls into a category needs `@requiresScopes`, `@policy` or
 * `@authenticated` on itself or on its type, or `@inaccessible`. What a description says of needing protection is no protection.
 */
export function lintPersonalInformation(members: readonly LintMember[]): readonly UnplacedProblem[] {
  return members.flatMap((member) =>
    [...member.types.values()].flatMap((type) => {
      if (ROOT_TYPES.has(type.name) || isProtected(member, type)) return [];
      return type.fields.flatMap((field) => lintField(member, type, field));
    }),
  );
}

function isProtected(member: LintMember, node: Parameters<LintMember['has']>[0]): boolean {
  return member.has(node, 'requiresScopes', 'policy', 'authenticated', 'inaccessible');
}

function lintField(
  member: LintMember,
  type: MemberType,
  field: FieldDefinitionNode,
): readonly UnplacedProblem[] {
  if (isProtected(member, field) || member.has(field, 'external')) return [];
  if (!isLeaf(member, field)) return [];
  const found = categoryOf(type, field);
  if (found === undefined) return [];
  const sort = found.isSensitive ? 'sensitive personal information' : 'personal information';
  const message = `by its ${found.by} ${sort} (GB/T 35273: ${found.title}), and open to everybody: give it @requiresScopes or @policy`;
  const coordinate = `${type.name}.${field.name.value}`;
  return [{ code: 'UNPROTECTED_PERSONAL_INFORMATION', message, systems: [member.name], coordinate }];
}

/** Scalars; of enums and booleans none tells who somebody is. */
function isLeaf(member: LintMember, field: FieldDefinitionNode): boolean {
  const name = namedTypeOf(field.type);
  return LEAVES.has(name) || member.types.get(name)?.kind === 'scalar';
}

interface Found {
  readonly title: string;
  readonly isSensitive: boolean;
  readonly by: string;
}

function categoryOf(type: MemberType, field: FieldDefinitionNode): Found | undefined {
  const name = field.name.value.replaceAll('_', '').toLowerCase();
  const isOf = (one: string) => name === one || (one.length > 4 && name.endsWith(one));
  const named = CATEGORIES.find(({ names }) => names.some(isOf));
  if (named !== undefined) return { ...named, by: `name ${field.name.value}` };
  if (PERSON.test(type.name) && OF_PEOPLE.has(name))
    return { title: '个人基本资料', isSensitive: false, by: `name ${field.name.value} in ${type.name}` };
  const description = textOf(field);
  if (description === undefined || field.kind !== Kind.FIELD_DEFINITION) return undefined;
  for (const category of CATEGORIES) {
    const word = category.words.find((one) => isIn(one, description));
    if (word !== undefined) return { ...category, by: `description (${word})` };
  }
  return undefined;
}

function isIn(word: string, text: string): boolean {
  if (!/^[\x20-\x7e]+$/.test(word)) return text.includes(word);
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`\\b${escaped}(?![\\d])`, 'i').test(text);
}
