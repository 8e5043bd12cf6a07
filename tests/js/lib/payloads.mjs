/**
 * What the parties of a channel sign: a *simplex* (what one side has paid), its *ack*, a
 * *withdrawal* (the proof that lets the partner withdraw) and a *close*.
 *
 * The message is always the 32 raw bytes `blake2_256(SCALE(payload))`: hand them to
 * `pair.sign(message, { withType: true })`, not to a wallet that wraps them into `<Bytes>`.
 * The shapes of `simplex`, `withdrawal` and `close` are those that the calls of `api.tx.insurance`
 * take. Limits of amounts, assets and locks are left to the chain.
 */

import { u8aCmp, u8aConcat } from '@polkadot/util';
import { blake2AsU8a } from '@polkadot/util-crypto';

import { account, bytes32, i128, text, u128, u32, u64, vec } from './scale.mjs';

const SIMPLEX_TAG = 'failsafe/simplex/2';
const ACK_TAG = 'failsafe/ack/2';
const WITHDRAW_TAG = 'failsafe/withdraw/2';
const CLOSE_TAG = 'failsafe/close/2';

/**
 * @typedef {import('./scale.mjs').Integer} Integer
 * @typedef {'left' | 'right'} Side
 * @typedef {Uint8Array | string} AccountId bytes, hex or SS58
 *
 * What every signature of a channel is bound to.
 * @typedef {{ genesisHash: Uint8Array | string, left: AccountId, right: AccountId, epoch: Integer }} Context
 *
 * @typedef {{ id: Integer, amount: Integer, hash: Uint8Array | string, expiry: Integer }} Lock
 * @typedef {{ asset: Integer, sent: Integer, locks: Lock[] }} Entry
 * @typedef {{ nonce: Integer, entries: Entry[] }} Simplex
 * @typedef {{ asset: Integer, amount: Integer, maxFromBalance: Integer }} WithdrawalItem
 * @typedef {{ withdrawalNonce: Integer, validUntil: Integer, items: WithdrawalItem[] }} Withdrawal
 * @typedef {{ validUntil: Integer, offdeltas: [Integer, Integer][] }} Close
 */

/**
 * The context of the channel of two accounts, given in any order.
 * @param {Uint8Array | string} genesisHash
 * @param {AccountId} a
 * @param {AccountId} b
 * @param {Integer} epoch
 * @returns {Context}
 */
export function channelContext(genesisHash, a, b, epoch) {
  const [left, right] = sideOf(a, b) === 'left' ? [a, b] : [b, a];
  return { genesisHash, left, right, epoch };
}

/**
 * Which side `who` has in its channel with `partner`: left is the account with the smaller id.
 * @param {AccountId} who
 * @param {AccountId} partner
 * @returns {Side}
 */
export function sideOf(who, partner) {
  const order = u8aCmp(account(who), account(partner));
  if (order === 0) {
    throw new RangeError('an account has no channel with itself');
  }
  return order < 0 ? 'left' : 'right';
}

/**
 * @param {Context} context
 * @param {Side} from whose simplex it is
 * @param {Simplex} simplex
 * @returns {Uint8Array} SCALE of the payload
 */
export function simplexPayload(context, from, simplex) {
  return u8aConcat(
    text(SIMPLEX_TAG),
    channel(context),
    side(from),
    u64(simplex.nonce),
    vec(ascending(simplex.entries, (entry) => entry.asset), entryBytes)
  );
}

/**
 * @param {Context} context
 * @param {Side} from whose simplex it is
 * @param {Simplex} simplex
 * @returns {Uint8Array} the 32 bytes that `from` signs
 */
export const simplexMessage = (context, from, simplex) =>
  blake2AsU8a(simplexPayload(context, from, simplex));

/**
 * @param {Uint8Array | string} message the message of the simplex that is acknowledged
 * @returns {Uint8Array} the 32 bytes that the receiver of that simplex signs
 */
export const ackMessage = (message) => blake2AsU8a(u8aConcat(text(ACK_TAG), bytes32(message)));

/**
 * @param {Context} context
 * @param {Side} to who withdraws
 * @param {Withdrawal} withdrawal
 * @returns {Uint8Array} SCALE of the payload
 */
export function withdrawalPayload(context, to, { withdrawalNonce, validUntil, items }) {
  return u8aConcat(
    text(WITHDRAW_TAG),
    channel(context),
    side(to),
    u64(withdrawalNonce),
    u64(validUntil),
    vec(ascending(items, (item) => item.asset), itemBytes)
  );
}

/**
 * @param {Context} context
 * @param {Side} to who withdraws
 * @param {Withdrawal} withdrawal
 * @returns {Uint8Array} the 32 bytes that the *partner* of `to` signs
 */
export const withdrawalMessage = (context, to, withdrawal) =>
  blake2AsU8a(withdrawalPayload(context, to, withdrawal));

/**
 * @param {Context} context
 * @param {Close} close `offdeltas` are `right.sent − left.sent` per asset
 * @returns {Uint8Array} SCALE of the payload
 */
export function closePayload(context, { validUntil, offdeltas }) {
  return u8aConcat(
    text(CLOSE_TAG),
    channel(context),
    u64(validUntil),
    vec(ascending(offdeltas, ([asset]) => asset), offdeltaBytes)
  );
}

/**
 * @param {Context} context
 * @param {Close} close
 * @returns {Uint8Array} the 32 bytes that both sign
 */
export const closeMessage = (context, close) => blake2AsU8a(closePayload(context, close));

function channel({ genesisHash, left, right, epoch }) {
  if (sideOf(left, right) !== 'left') {
    throw new RangeError('left must be the account with the smaller id');
  }
  return u8aConcat(bytes32(genesisHash), account(left), account(right), u32(epoch));
}

function side(name) {
  const index = ['left', 'right'].indexOf(name);
  if (index < 0) {
    throw new TypeError(`${name} is not a side`);
  }
  return Uint8Array.of(index);
}

function entryBytes({ asset, sent, locks }) {
  return u8aConcat(u32(asset), u128(sent), vec(ascending(locks, (lock) => lock.id), lockBytes));
}

function lockBytes({ id, amount, hash, expiry }) {
  return u8aConcat(u64(id), u128(amount), bytes32(hash), u64(expiry));
}

function itemBytes({ asset, amount, maxFromBalance }) {
  return u8aConcat(u32(asset), u128(amount), u128(maxFromBalance));
}

function offdeltaBytes([asset, offdelta]) {
  return u8aConcat(u32(asset), i128(offdelta));
}

/** The chain refuses any other order, so nobody should sign it. */
function ascending(items, key) {
  const keys = items.map((item) => BigInt(key(item)));
  if (keys.some((current, i) => i > 0 && current <= keys[i - 1])) {
    throw new RangeError('assets and lock ids must be strictly ascending');
  }
  return items;
}
