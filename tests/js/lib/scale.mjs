/**
 * The few SCALE encodings that signed payloads are made of. They refuse what the generic encoders
 * of polkadot.js take for 0 or cut off: a missing field must not become a signed amount of 0.
 */

import { bnToU8a, compactAddLength, compactToU8a, stringToU8a, u8aConcat, u8aToU8a } from '@polkadot/util';
import { decodeAddress } from '@polkadot/util-crypto';

const DECIMAL = /^-?\d+$/;

function integer(value, bits, signed) {
  const text = String(value);
  if (!DECIMAL.test(text) || (typeof value === 'number' && !Number.isSafeInteger(value))) {
    throw new TypeError(`${text} is not an integer`);
  }
  const number = BigInt(text);
  const kept = signed ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number);
  if (kept !== number) {
    throw new RangeError(`${text} does not fit into ${signed ? 'i' : 'u'}${bits}`);
  }
  return bnToU8a(BigInt.asUintN(bits, number), { bitLength: bits, isLe: true });
}

/**
 * A number as it goes into a payload: `bigint`, decimal string or safe `number`.
 * @typedef {bigint | string | number} Integer
 */

/**
 * @param {Integer} value
 * @returns {Uint8Array} 4 bytes
 */
export const u32 = (value) => integer(value, 32, false);

/**
 * @param {Integer} value
 * @returns {Uint8Array} 8 bytes
 */
export const u64 = (value) => integer(value, 64, false);

/**
 * @param {Integer} value
 * @returns {Uint8Array} 16 bytes
 */
export const u128 = (value) => integer(value, 128, false);

/**
 * @param {Integer} value
 * @returns {Uint8Array} 16 bytes
 */
export const i128 = (value) => integer(value, 128, true);

/**
 * @param {Uint8Array | string} value 32 bytes or their hex
 * @returns {Uint8Array} the bytes
 */
export function bytes32(value) {
  const bytes = u8aToU8a(value);
  if (bytes.length !== 32) {
    throw new RangeError(`${bytes.length} bytes instead of 32`);
  }
  return bytes;
}

/**
 * @param {Uint8Array | string} value account id as bytes, hex or SS58
 * @returns {Uint8Array} its 32 bytes
 */
export const account = (value) => bytes32(decodeAddress(value));

/**
 * @param {string} value
 * @returns {Uint8Array} UTF-8 behind its length
 */
export const text = (value) => compactAddLength(stringToU8a(value));

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => Uint8Array} encode
 * @returns {Uint8Array} the items behind their number
 */
export const vec = (items, encode) => u8aConcat(compactToU8a(items.length), ...items.map(encode));
