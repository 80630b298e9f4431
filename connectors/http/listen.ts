// Listens on a port, and says which setting to change when it cannot.
import { OperatorError } from '@weft/core/errors';
import type { FastifyInstance } from 'fastify';

/**
 * @param setting the name of the setting that holds the port
 * @returns the address with the port that was taken
 * @throws OperatorError when the port is in use or not allowed
 */
export async function listen(
  app: FastifyInstance,
  host: string,
  port: number,
  setting: string,
): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (thrown) {
    await app.close();
    const { code } = thrown as NodeJS.ErrnoException;
    const problem = code === 'EADDRINUSE' ? 'is in use' : `cannot be taken (${code})`;
    throw new OperatorError(
      `${setting}: port ${port} of ${host} ${problem}; set another, or 0 for a free one`,
      {
        cause: thrown,
      },
    );
  }
}
