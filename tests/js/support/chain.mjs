/** What the tests do with a chain through polkadot.js. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { ApiPromise, WsProvider } from '@polkadot/api';
import { Keyring } from '@polkadot/keyring';
import { Option } from '@polkadot/types';
import { u8aConcat, u8aToHex } from '@polkadot/util';
import { cryptoWaitReady } from '@polkadot/util-crypto';

/** One FRD in its smallest units. */
export const FRD = 10n ** 12n;
/** Number of the native asset. */
export const NATIVE = 0;
/** Number of the second genesis asset. */
export const FRB = 1;

const TIMEOUT = 60_000;

/**
 * An API on the node that `FAILSAFE_URL` names.
 * @returns {Promise<ApiPromise>}
 */
export async function connect() {
  const url = process.env.FAILSAFE_URL;
  assert(url, 'FAILSAFE_URL must name a development node: start the tests with run.mjs');
  // An extension of this chain that polkadot.js does not know; it carries nothing.
  const signedExtensions = { OneBatchPerBlock: { extrinsic: {}, payload: {} } };
  return ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true, signedExtensions });
}

/**
 * Key pairs of secret URIs like `//Alice`.
 * @param {...string} uris
 */
export async function keys(...uris) {
  await cryptoWaitReady();
  const keyring = new Keyring({ type: 'sr25519' });
  return uris.map((uri) => keyring.addFromUri(uri));
}

/**
 * An answer of the chain as plain values: integers are `bigint`, accounts SS58, absent options
 * `null`, errors their names.
 * @param {import('@polkadot/types/types').Codec} codec
 */
export function plain(codec) {
  if ('isModule' in codec) {
    return errorName(codec);
  }
  if (codec instanceof Option) {
    return codec.isNone ? null : plain(codec.unwrap());
  }
  if (typeof codec.toBigInt === 'function') {
    return codec.toBigInt();
  }
  if (Array.isArray(codec)) {
    return codec.map(plain);
  }
  if (codec instanceof Map) {
    return Object.fromEntries([...codec].map(([name, value]) => [written(name), plain(value)]));
  }
  return codec.toJSON();
}

/** polkadot.js puts a _ behind a name that its values have already, such as `entries` or `hash`. */
const written = (name) => name.replace(/_$/, '');

/** `pallet.Error` of a module's error, else its kind, like `Token.FundsUnavailable`. */
function errorName(error) {
  if (error.isModule) {
    const { section, name } = error.registry.findMetaError(error.asModule);
    return `${section}.${name}`;
  }
  return [error.type, error.value.toString()].filter(Boolean).join('.');
}

/**
 * @param {ApiPromise} api
 * @returns {Promise<string>} hash of the best block
 */
export const best = async (api) => (await api.rpc.chain.getBlockHash()).toHex();

/** @typedef {{ name: string, data: Record<string, any> }} Event `pallet.Event` and its fields */

function plainEvent({ event }) {
  const { section, method, data } = event;
  const names = data.names ?? data.map((_, i) => i);
  const fields = data.map((value, i) => [written(String(names[i])), plain(value)]);
  return { name: `${section}.${method}`, data: Object.fromEntries(fields) };
}

/**
 * Sends a call and waits until it is in a block. A call that fails there fails the test.
 * @param {import('@polkadot/api/types').SubmittableExtrinsic<'promise'>} call
 * @param {import('@polkadot/keyring/types').KeyringPair} signer
 * @param {{ finalized?: boolean, nonce?: number }} options `finalized`: wait until the block is
 *   final; `nonce`: of the account, by default the next one
 * @returns {Promise<{ hash: string, events: Event[] }>} the block and the call's own events
 */
export async function send(call, signer, { finalized = false, nonce = -1 } = {}) {
  const { hash, error, events } = await submit(call, signer, finalized, nonce);
  assert.equal(error, null, `${call.method.section}.${call.method.method} failed`);
  return { hash, events };
}

/**
 * Sends a call that is expected to fail in its block.
 * @param {import('@polkadot/api/types').SubmittableExtrinsic<'promise'>} call
 * @param {import('@polkadot/keyring/types').KeyringPair} signer
 * @returns {Promise<{ hash: string, error: string | null, fee: bigint }>} the block, the name of the
 *   error, and what the failure cost
 */
export async function sendRefused(call, signer) {
  const { hash, error, events } = await submit(call, signer, false, -1);
  return { hash, error, fee: feeOf(events) };
}

async function submit(call, signer, finalized, nonce) {
  const included = new Promise((resolve, reject) => {
    const onStatus = (result) => {
      const { status, isError } = result;
      if (isError) {
        reject(new Error(`the transaction ended as ${status.type}`));
      } else if (finalized ? status.isFinalized : status.isInBlock) {
        resolve(result);
      }
    };
    call.signAndSend(signer, { nonce }, onStatus).catch(reject);
  });
  const { status, dispatchError, events } = await within(included, 'a transaction');
  const hash = (finalized ? status.asFinalized : status.asInBlock).toHex();
  return { hash, error: dispatchError ? errorName(dispatchError) : null, events: events.map(plainEvent) };
}

async function within(promise, what) {
  const timer = new AbortController();
  const late = sleep(TIMEOUT, undefined, { signal: timer.signal }).then(() =>
    assert.fail(`waited too long for ${what}`)
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

/**
 * The events of that name, with those fields.
 * @param {Event[]} events
 * @param {string} name
 * @param {Record<string, any>} fields
 * @returns {Record<string, any>[]} their data
 */
export function named(events, name, fields = {}) {
  const fits = ({ data }) => Object.entries(fields).every(([field, value]) => data[field] === value);
  return events.filter((event) => event.name === name && fits(event)).map(({ data }) => data);
}

/**
 * What a call cost its signer in the end.
 * @param {Event[]} events of the call
 * @returns {bigint}
 */
export function feeOf(events) {
  const [{ actualFee }] = named(events, 'transactionPayment.TransactionFeePaid');
  return actualFee;
}

/**
 * Native money of an account in a block, without what is on hold.
 * @param {ApiPromise} api
 * @param {string} hash
 * @param {{ address: string }} account
 * @returns {Promise<bigint>}
 */
export async function freeAt(api, hash, { address }) {
  const [{ free }] = await (await failsafeAt(api, hash)).balances(address, [NATIVE]);
  return free;
}

/**
 * All events of a block, those without a transaction too.
 * @param {ApiPromise} api
 * @param {string} hash
 * @returns {Promise<Event[]>}
 */
export async function eventsAt(api, hash) {
  const at = await api.at(hash);
  return (await at.query.system.events()).map(plainEvent);
}

/**
 * The events of all blocks from one on up to another, without those of other accounts.
 * @param {ApiPromise} api
 * @param {string} from hash of the first block
 * @param {string} to hash of the last block
 * @param {(event: Event) => boolean} wanted
 * @returns {Promise<Event[]>}
 */
export async function eventsBetween(api, from, to, wanted) {
  const numberOf = async (hash) => (await api.rpc.chain.getHeader(hash)).number.toNumber();
  const [first, last] = [await numberOf(from), await numberOf(to)];
  const events = [];
  for (let number = first; number <= last; number += 1) {
    const hash = await api.rpc.chain.getBlockHash(number);
    events.push(...(await eventsAt(api, hash.toHex())).filter(wanted));
  }
  return events;
}

/**
 * Walks along the chain from a block on until a block has the event.
 * @param {ApiPromise} api
 * @param {string} from hash of the block to begin with
 * @param {string} name
 * @param {Record<string, any>} fields
 * @returns {Promise<{ hash: string, data: Record<string, any>, events: Event[] }>}
 */
export async function untilEvent(api, from, name, fields) {
  const deadline = Date.now() + TIMEOUT;
  let number = (await api.rpc.chain.getHeader(from)).number.toNumber();
  while (Date.now() < deadline) {
    const hash = await api.rpc.chain.getBlockHash(number);
    if (hash.isEmpty) {
      await sleep(200);
      continue;
    }
    const events = await eventsAt(api, hash.toHex());
    const [data] = named(events, name, fields);
    if (data) {
      return { hash: hash.toHex(), data, events };
    }
    number += 1;
  }
  assert.fail(`waited too long for ${name}`);
}

/**
 * The runtime API as of a block.
 * @param {ApiPromise} api
 * @param {string} hash
 * @returns a function per method of `FailsafeApi`, with plain answers
 */
export async function failsafeAt(api, hash) {
  const { failsafeApi } = (await api.at(hash)).call;
  const ask = (method) => async (...args) => plain(await method(...args));
  return Object.fromEntries(Object.entries(failsafeApi).map(([name, method]) => [name, ask(method)]));
}

/**
 * The answer of a pallet's view function, as plain values. polkadot.js lists these functions, but
 * has no method for each.
 * @param {ApiPromise} api
 * @param {string} palletName as in the metadata, like `Debt`
 * @param {string} name like `owed_to`
 * @param {...any} args
 */
export async function view(api, palletName, name, ...args) {
  const pallet = api.runtimeMetadata.asLatest.pallets.find((one) => one.name.eq(palletName));
  const { id, inputs, output } = pallet.viewFunctions.find((one) => one.name.eq(name));
  const typed = (type, value) => api.createType(api.registry.createLookupType(type), value);
  const input = u8aConcat(...inputs.map(({ type }, i) => typed(type, args[i]).toU8a()));
  const answer = await api.call.runtimeViewFunction.executeViewFunction(id, u8aToHex(input));
  return plain(typed(output, answer.asOk.toU8a(true)));
}

/**
 * Insurance and ondelta of a channel in one asset; both are 0 where there is no row.
 * @param {{ collateral: [bigint, { insurance: bigint, ondelta: bigint }][] }} channel of the runtime API
 * @param {number} asset
 * @returns {{ insurance: bigint, ondelta: bigint }}
 */
export function collateralIn({ collateral }, asset) {
  const row = collateral.find(([number]) => number === BigInt(asset));
  return row ? row[1] : { insurance: 0n, ondelta: 0n };
}

/**
 * What a deposit for a side does to the collateral.
 * @param {{ insurance: bigint, ondelta: bigint }} collateral before it
 * @param {'left' | 'right'} side of the beneficiary
 * @param {bigint} amount negative for a withdrawal
 * @returns {{ insurance: bigint, ondelta: bigint }} after it
 */
export function withDeposit({ insurance, ondelta }, side, amount) {
  return { insurance: insurance + amount, ondelta: side === 'left' ? ondelta + amount : ondelta };
}
