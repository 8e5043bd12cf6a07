/**
 * Signatures over the messages of `payloads.mjs`: direct, or as a leaf of a Merkle tree, by which
 * a hub signs the messages of many channels at once.
 */

import { u8aConcat, u8aToU8a } from '@polkadot/util';
import { blake2AsU8a, ed25519Verify, secp256k1Verify, sr25519Verify } from '@polkadot/util-crypto';

import { account, bytes32, text, u32, vec } from './scale.mjs';

const BATCH_TAG = 'failsafe/sigs/2';
const MAX_DEPTH = 20;

/** By the first byte of a `MultiSignature`. Ethereum's personal signatures are not accepted. */
const SCHEMES = [ed25519Verify, sr25519Verify, secp256k1Verify];

/**
 * SCALE of a `MultiSignature`: a byte for the scheme, then the signature. It is what
 * `pair.sign(message, { withType: true })` returns.
 * @typedef {Uint8Array | string} MultiSignature
 *
 * The two forms in which a simplex or an ack is signed, as the calls of `api.tx.insurance` take
 * them.
 * @typedef {{ direct: MultiSignature }} Direct
 * @typedef {{ inBatch: { signature: MultiSignature, path: (Uint8Array | string)[], index: number } }} InBatch
 */

/**
 * Whether `signer` has signed exactly these bytes. `signatureVerify` of polkadot.js would also take
 * a signature over the message wrapped into `<Bytes>`, which the chain refuses.
 * @param {MultiSignature} signature
 * @param {Uint8Array | string} message 32 bytes
 * @param {Uint8Array | string} signer account id
 * @returns {boolean}
 */
export function verifyMultiSignature(signature, message, signer) {
  const bytes = u8aToU8a(signature);
  const verify = SCHEMES[bytes[0]];
  try {
    return verify !== undefined && verify(bytes32(message), bytes.subarray(1), account(signer));
  } catch {
    // The schemes throw at bytes that are no signature at all.
    return false;
  }
}

/**
 * Whether `signer` has signed `message`, in either form.
 * @param {Direct | InBatch} signature
 * @param {Uint8Array | string} message 32 bytes
 * @param {Uint8Array | string} signer account id
 * @returns {boolean}
 */
export function verifySignature({ direct, inBatch }, message, signer) {
  if (direct !== undefined) {
    return verifyMultiSignature(direct, message, signer);
  }
  const { signature, path, index } = inBatch;
  const root = merkleRoot(message, path, index);
  return root !== null && verifyMultiSignature(signature, batchMessage(root), signer);
}

/**
 * @param {Direct | InBatch} signature
 * @returns {Uint8Array} its SCALE
 */
export function encodeSignature({ direct, inBatch }) {
  if (direct !== undefined) {
    return u8aConcat([0], u8aToU8a(direct));
  }
  const { signature, path, index } = inBatch;
  return u8aConcat([1], u8aToU8a(signature), vec(path, bytes32), u32(index));
}

/**
 * @param {Uint8Array | string} root of a Merkle tree
 * @returns {Uint8Array} the 32 bytes that are signed for it
 */
export const batchMessage = (root) => blake2AsU8a(u8aConcat(text(BATCH_TAG), bytes32(root)));

/**
 * The root above a message; leaves and nodes are hashed with different prefixes.
 * @param {Uint8Array | string} message 32 bytes
 * @param {(Uint8Array | string)[]} path siblings from the leaf up
 * @param {number} index position of the leaf
 * @returns {Uint8Array | null} `null` when the path is too long or has no such position
 */
export function merkleRoot(message, path, index) {
  if (path.length > MAX_DEPTH || !Number.isInteger(index) || index < 0 || index >= 2 ** path.length) {
    return null;
  }
  const leaf = blake2AsU8a(u8aConcat([0], bytes32(message)));
  return path.reduce((hash, sibling, level) => {
    const pair = (index >> level) & 1 ? [bytes32(sibling), hash] : [hash, bytes32(sibling)];
    return blake2AsU8a(u8aConcat([1], ...pair));
  }, leaf);
}
