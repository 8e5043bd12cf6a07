/**
 * Where the money of the tests comes from: a rich account for each file that asks for one, because
 * the files run at the same time, and two that signed with one account would take the same nonce.
 */

import { basename } from 'node:path';

import { connect, FRB, FRD, keys, send } from './chain.mjs';

const ENDOWMENT = 45_000n * FRD;
const BONDS = 1_000n;

const uri = (file) => `//Funder//${basename(file)}`;

/**
 * The rich account of a file of tests.
 * @param {string} file its path or `import.meta.url`
 */
export const funder = async (file) => (await keys(uri(file)))[0];

/**
 * Gives every file's account FRD and FRB, in one block.
 * @param {string[]} files
 */
export async function endow(files) {
  const api = await connect();
  try {
    const [alice, ...rich] = await keys('//Alice', ...files.map(uri));
    const gifts = rich.flatMap(({ address }) => [
      api.tx.balances.transferKeepAlive(address, ENDOWMENT),
      api.tx.assets.transferKeepAlive(FRB, address, BONDS),
    ]);
    await send(api.tx.batch.submit(gifts, 'Atomic'), alice);
  } finally {
    await api.disconnect();
  }
}
