/** The encoders of `lib` against the golden vectors that the Rust crates are checked with. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';

import { Keyring } from '@polkadot/keyring';
import { hexToU8a, u8aToHex } from '@polkadot/util';
import { cryptoWaitReady } from '@polkadot/util-crypto';

import * as payloads from '../lib/payloads.mjs';
import {
  batchMessage,
  encodeSignature,
  merkleRoot,
  verifyMultiSignature,
  verifySignature,
} from '../lib/signatures.mjs';

const golden = JSON.parse(readFileSync(new URL('../../../primitives/vectors/golden.json', import.meta.url)));
const { context } = golden;

before(cryptoWaitReady);

/** Every signature of a vector verifies, and none of them over another message. */
function assertSignedBy({ message, signedBy }) {
  const other = hexToU8a(message).reverse();
  const signatures = Object.values(signedBy).flatMap(Object.values);
  assert(signatures.length > 0);
  for (const { account, signature } of signatures) {
    assert(verifyMultiSignature(signature, message, account));
    assert(!verifyMultiSignature(signature, other, account));
  }
}

test('simplex_should_equal_the_golden_vector_when_encoded_in_javascript', () => {
  const { from, simplex, payload, message } = golden.simplex;
  assert.equal(u8aToHex(payloads.simplexPayload(context, from, simplex)), payload);
  assert.equal(u8aToHex(payloads.simplexMessage(context, from, simplex)), message);
  assertSignedBy(golden.simplex);
});

test('ack_should_equal_the_golden_vector_when_encoded_in_javascript', () => {
  assert.equal(u8aToHex(payloads.ackMessage(golden[golden.ack.of].message)), golden.ack.message);
  assertSignedBy(golden.ack);
});

test('withdrawal_should_equal_the_golden_vector_when_encoded_in_javascript', () => {
  const { to, withdrawal, payload, message } = golden.withdrawal;
  assert.equal(u8aToHex(payloads.withdrawalPayload(context, to, withdrawal)), payload);
  assert.equal(u8aToHex(payloads.withdrawalMessage(context, to, withdrawal)), message);
  assertSignedBy(golden.withdrawal);
});

test('close_should_equal_the_golden_vector_when_encoded_in_javascript', () => {
  const { close, payload, message } = golden.close;
  assert.equal(u8aToHex(payloads.closePayload(context, close)), payload);
  assert.equal(u8aToHex(payloads.closeMessage(context, close)), message);
  assertSignedBy(golden.close);
});

test('signature_should_equal_the_golden_vector_when_the_scheme_is_deterministic', () => {
  const { message, signedBy } = golden.withdrawal;
  const pair = new Keyring({ type: 'ed25519' }).addFromUri(golden.keys.right);
  assert.equal(u8aToHex(pair.sign(message, { withType: true })), signedBy.right.ed25519.signature);
});

test('signature_should_be_refused_when_the_message_was_wrapped_or_the_bytes_are_none', () => {
  const { message, signedBy } = golden.withdrawal;
  const pair = new Keyring({ type: 'sr25519' }).addFromUri(golden.keys.right);
  const wrapped = pair.sign(`<Bytes>${message}</Bytes>`, { withType: true });
  assert(!verifyMultiSignature(wrapped, message, pair.publicKey));
  const { signature, account } = signedBy.right.sr25519;
  assert(!verifyMultiSignature(signature.slice(0, -2), message, account));
  assert(!verifyMultiSignature(`0x03${signature.slice(4)}`, message, account));
});

test('in_batch_signature_should_verify_when_the_message_is_its_leaf', () => {
  const { account, index, messages, path, root, rootMessage, signature } = golden.inBatch;
  const message = messages[index];
  assert.equal(u8aToHex(merkleRoot(message, path, index)), root);
  assert.equal(u8aToHex(batchMessage(root)), rootMessage);
  // The vector is SCALE: a byte for the form, 65 of the signature over the root, then path and index.
  const inBatch = { signature: hexToU8a(signature).subarray(1, 66), path, index };
  assert.equal(u8aToHex(encodeSignature({ inBatch })), signature);
  assert(verifySignature({ inBatch }, message, account));
  for (const other of messages.filter((_, i) => i !== index)) {
    assert(!verifySignature({ inBatch }, other, account));
  }
  assert(!verifySignature({ inBatch: { ...inBatch, index: index + 2 ** path.length } }, message, account));
});

test('direct_signature_should_verify_when_it_is_over_the_message_itself', () => {
  const { message, signedBy } = golden.simplex;
  const { account, signature } = signedBy.right.sr25519;
  assert(verifySignature({ direct: signature }, message, account));
  assert.equal(u8aToHex(encodeSignature({ direct: signature })), `0x00${signature.slice(2)}`);
});

test('context_should_put_the_smaller_id_left_when_given_in_any_order', () => {
  const { genesisHash, left, right, epoch } = context;
  assert.deepEqual(payloads.channelContext(genesisHash, left, right, epoch), context);
  assert.deepEqual(payloads.channelContext(genesisHash, right, left, epoch), context);
  assert.throws(() => payloads.channelContext(genesisHash, left, left, epoch), RangeError);
});

test('payload_should_be_refused_when_it_could_not_be_submitted', () => {
  const { to, withdrawal } = golden.withdrawal;
  const { from, simplex } = golden.simplex;
  const withItem = (change) => ({ ...withdrawal, items: [{ ...withdrawal.items[0], ...change }] });
  const encode = (changed) => () => payloads.withdrawalPayload(context, to, changed);
  assert.throws(encode(withItem({ amount: undefined })), TypeError);
  assert.throws(encode(withItem({ amount: 0.5 })), TypeError);
  assert.throws(encode(withItem({ amount: -1n })), RangeError);
  assert.throws(encode(withItem({ amount: 2n ** 128n })), RangeError);
  assert.throws(encode({ ...withdrawal, items: [...withdrawal.items].reverse() }), RangeError);
  assert.throws(() => payloads.withdrawalPayload(context, 'top', withdrawal), TypeError);
  const swapped = { ...context, left: context.right, right: context.left };
  assert.throws(() => payloads.simplexPayload(swapped, from, simplex), RangeError);
});
