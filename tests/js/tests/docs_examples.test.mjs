/**
 * Runs every example of the chain's reference, each behind the helpers and with its own rich account,
 * and compares what it prints with the comments `// => …` behind its `console.log`s.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Keyring } from '@polkadot/keyring';
import * as types from '@polkadot/types';
import * as util from '@polkadot/util';
import * as hashing from '@polkadot/util-crypto';

import { connect, FRD, keys, send } from '../support/chain.mjs';
import { page, pages } from '../support/docs.mjs';

/** Of the example's rich account, so that all examples can run at the same time. */
const ALLOWANCE = 9_000n * FRD;
const CONCURRENCY = 10;
const TIMEOUT = 100_000;
/** What the console of polkadot.js apps gives to a script; everything else of a browser is `null`. */
const GIVEN = ['api', 'console', 'hashing', 'keyring', 'types', 'util'];
const WITHHELD = ['crypto', 'fetch', 'globalThis', 'process', 'queueMicrotask', 'require', 'setTimeout', 'window'];

const AsyncFunction = (async () => {}).constructor;

const all = pages();
const chain = all.find(({ file }) => file === 'chain.md');
const [helpers] = chain.blocks.filter(({ kind }) => kind === 'helpers');
const examples = all.flatMap(({ file, blocks }) =>
  blocks.filter(({ kind }) => kind === '').map((block) => ({ ...block, name: `${file}:${block.line}` }))
);

let api;
const accounts = new Map();

before(async () => {
  api = await connect();
  const [funder, ...rich] = await keys('//Bob//stash', ...examples.map(({ name }) => `//Docs//${name}`));
  examples.forEach(({ name }, i) => accounts.set(name, rich[i]));
  const transfers = rich.map(({ address }) => api.tx.balances.transferKeepAlive(address, ALLOWANCE));
  await send(api.tx.batch.submit(transfers, 'Atomic'), funder);
});
after(() => api?.disconnect());

/** A keyring whose Alice is the example's rich account. */
function keyringWith(rich) {
  const keyring = new Keyring({ type: 'sr25519' });
  const create = (uri, ...rest) => (uri === '//Alice' ? rich : keyring.createFromUri(uri, ...rest));
  return { createFromUri: create };
}

/** What an example promises to print: `null` for a line of which nothing is said. */
function promised(code) {
  return [...code.matchAll(/^\s*(?:\/\/ => (.*)|.*?\S\s*\/\/ => (.*))$/gm)].map(([, alone, behind]) => alone ?? behind);
}

/** Whether a line is what was promised, where … stands for anything. */
function fits(line, promise) {
  const escaped = promise.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(line);
}

/** Fails when the example takes too long, with what it has printed so far. */
async function inTime(running, printed) {
  const timer = new AbortController();
  const late = sleep(TIMEOUT, undefined, { signal: timer.signal }).then(() =>
    assert.fail(`takes too long; has printed\n  ${printed.join('\n  ')}`)
  );
  try {
    await Promise.race([running, late]);
  } finally {
    timer.abort();
  }
}

describe('examples', { concurrency: CONCURRENCY }, () => {
  for (const { name, code } of examples) {
    test(`docs_example_should_print_what_it_promises_when_run: ${name}`, async () => {
      const printed = [];
      const log = (...values) => printed.push(values.map(String).join(' '));
      // The sudo key cannot be replaced.
      const [sudo] = await keys('//Alice');
      const rich = code.includes('api.tx.sudo') ? sudo : accounts.get(name);
      const given = { api, console: { log, error: log }, hashing, keyring: keyringWith(rich), types, util };
      const run = new AsyncFunction(...GIVEN, ...WITHHELD, `${helpers.code}\n${code}`);
      const withheld = WITHHELD.map(() => null);
      await inTime(run(...GIVEN.map((one) => given[one]), ...withheld), printed);
      const promises = promised(code);
      for (const promise of promises) {
        const at = printed.findIndex((line) => fits(line, promise));
        assert(at >= 0, `${name} does not print\n  ${promise}\nbut\n  ${printed.join('\n  ')}`);
        printed.splice(0, at + 1);
      }
    });
  }
});

test('docs_example_should_run_when_it_is_a_file_of_its_own', async () => {
  const [setUp] = chain.blocks.filter(({ kind }) => kind === 'node');
  const [example] = page('chain/clock.md').blocks;
  const url = process.env.FAILSAFE_URL;
  assert(setUp.code.includes('ws://127.0.0.1:9944'));
  const code = setUp.code.replace('ws://127.0.0.1:9944', url);
  // Beside the packages that it imports.
  const file = fileURLToPath(new URL(`../.example-${process.pid}.mjs`, import.meta.url));
  writeFileSync(file, `${code}\n${helpers.code}\n${example.code}\nawait api.disconnect();\n`);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 60_000 });
    const promises = promised(example.code);
    assert(promises.length > 0 && promises.every((promise) => stdout.split('\n').some((line) => fits(line, promise))));
  } finally {
    rmSync(file);
  }
});

test('docs_helpers_should_build_the_golden_payloads_when_given_their_context', async () => {
  const { default: golden } = await import('../../../primitives/vectors/golden.json', { with: { type: 'json' } });
  const names = ['simplexMessage', 'ackMessage', 'withdrawalMessage', 'closeMessage'];
  const make = new AsyncFunction('api', 'hashing', 'keyring', 'util', `${helpers.code}\nreturn { ${names} };`);
  const [alice] = await keys('//Alice');
  const built = await make(api, hashing, keyringWith(alice), util);
  const { genesisHash, left, right, epoch } = golden.context;
  const context = [genesisHash, left, right, epoch];
  const { simplex, withdrawal, close, ack } = golden;
  const message = (bytes) => util.u8aToHex(bytes);
  assert.equal(message(built.simplexMessage(context, simplex.from, simplex.simplex)), simplex.message);
  assert.equal(message(built.ackMessage(golden[ack.of].message)), ack.message);
  assert.equal(message(built.withdrawalMessage(context, withdrawal.to, withdrawal.withdrawal)), withdrawal.message);
  assert.equal(message(built.closeMessage(context, close.close)), close.message);
});
