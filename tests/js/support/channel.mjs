/** Channels of key pairs: what their parties sign, in the shapes that the calls take. */

import {
  ackMessage,
  channelContext,
  closeMessage,
  sideOf,
  simplexMessage,
  withdrawalMessage,
} from '../lib/payloads.mjs';
import { best, failsafeAt, FRD, NATIVE, send } from './chain.mjs';

/**
 * @typedef {import('@polkadot/keyring/types').KeyringPair} KeyringPair
 * @typedef {import('../lib/payloads.mjs').Side} Side
 */

const sign = (pair, message) => pair.sign(message, { withType: true });

/**
 * A simplex that names the native asset alone.
 * @param {number} nonce
 * @param {bigint} sent
 * @param {import('../lib/payloads.mjs').Lock[]} locks
 */
export const paid = (nonce, sent, locks = []) => ({
  nonce,
  entries: [{ asset: NATIVE, sent, locks }],
});

/** No evidence at all. */
export const NO_EVIDENCE = { theirs: null, ours: null };

/**
 * The key pairs by account id, so that the first one is left in its channel with any other.
 * @param {...KeyringPair} pairs
 * @returns {KeyringPair[]}
 */
export const fromLeft = (...pairs) =>
  pairs.sort((a, b) => (sideOf(a.address, b.address) === 'left' ? -1 : 1));

/** The channel of two key pairs in one epoch. */
export class Channel {
  /**
   * @param {import('@polkadot/api').ApiPromise} api
   * @param {KeyringPair} a
   * @param {KeyringPair} b
   * @param {number | bigint} epoch
   */
  constructor(api, a, b, epoch = 0) {
    this.api = api;
    [this.left, this.right] = fromLeft(a, b);
    /** As events and views name the two. */
    this.pair = { left: this.left.address, right: this.right.address };
    this.epoch = BigInt(epoch);
    this.context = channelContext(api.genesisHash.toU8a(), a.address, b.address, epoch);
  }

  /** The same channel in another epoch. */
  in(epoch) {
    return new Channel(this.api, this.left, this.right, epoch);
  }

  /** @param {Side} side */
  signer(side) {
    return side === 'left' ? this.left : this.right;
  }

  /** @param {Side} side */
  partnerOf(side) {
    return side === 'left' ? this.right : this.left;
  }

  /** A simplex of `from` with its signature: the other side's `theirs`. */
  signed(from, simplex) {
    const message = simplexMessage(this.context, from, simplex);
    return { simplex, signature: { direct: sign(this.signer(from), message) } };
  }

  /** The receiver's signature over its receipt of a simplex of `from`. */
  ack(from, simplex) {
    const message = ackMessage(simplexMessage(this.context, from, simplex));
    return { direct: sign(this.partnerOf(from), message) };
  }

  /** A simplex of `from` with the partner's receipt: its own `ours`. */
  acked(from, simplex) {
    return { acked: { simplex, ack: this.ack(from, simplex) } };
  }

  /** A simplex of `from` with both signatures, as anybody may bring it. */
  twiceSigned(from, simplex) {
    return { from, ...this.signed(from, simplex), ack: this.ack(from, simplex) };
  }

  /** The partner's proof for a withdrawal of `to`. */
  proof(to, withdrawal) {
    return sign(this.partnerOf(to), withdrawalMessage(this.context, to, withdrawal));
  }

  /** The call by which `to` withdraws with its partner's proof. */
  withdraw(to, withdrawal) {
    const partner = this.partnerOf(to).address;
    return this.api.tx.insurance.withdraw(partner, withdrawal, this.proof(to, withdrawal));
  }

  /** A withdrawal of the native asset, valid for 50 usable blocks from now. */
  async withdrawal(amount, { withdrawalNonce = 0, maxFromBalance = 0n } = {}) {
    const { clock } = await (await failsafeAt(this.api, await best(this.api))).moment();
    const items = [{ asset: NATIVE, amount, maxFromBalance }];
    return { withdrawalNonce, validUntil: clock + 50n, items };
  }

  /** The call by which `by` closes the channel with its partner's signature. */
  close(by, close) {
    const partner = this.partnerOf(by);
    const signature = sign(partner, closeMessage(this.context, close));
    return this.api.tx.insurance.close(partner.address, close, signature);
  }

  /** The call that adds native insurance for a side. */
  deposit(side, amount) {
    const [beneficiary, partner] = [this.signer(side).address, this.partnerOf(side).address];
    return this.api.tx.insurance.deposit(NATIVE, amount, beneficiary, partner, null);
  }

  /** The call by which `by` opens a dispute. */
  dispute(by, evidence) {
    return this.api.tx.insurance.dispute(this.partnerOf(by).address, this.epoch, evidence);
  }

  /** The call by which `by` answers its partner's dispute. */
  counter(by, evidence) {
    return this.api.tx.insurance.counter(this.partnerOf(by).address, evidence);
  }

  /** What the chain says of the channel in a block. */
  async at(hash) {
    return (await failsafeAt(this.api, hash)).channel(this.pair.left, this.pair.right);
  }
}

/**
 * Gives new accounts native money, all in one block.
 * @param {import('@polkadot/api').ApiPromise} api
 * @param {KeyringPair} funder
 * @param {KeyringPair[]} accounts
 * @param {bigint} amount of each
 */
export async function fund(api, funder, accounts, amount = 10_000n * FRD) {
  const transfers = accounts.map(({ address }) => api.tx.balances.transferKeepAlive(address, amount));
  return send(api.tx.batch.submit(transfers, 'Atomic'), funder);
}
