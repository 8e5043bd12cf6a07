//! The input of a target, read from the front.

use codec::{DecodeLimit, Encode};

/// Deepest nesting that is decoded; the Executive's own limit is 256.
const DEPTH: u32 = 64;

/// Bytes that have not been read. After the end everything reads as 0, which builders take as the
/// plainest choice, so that a short input makes a whole operation.
#[derive(Clone, Debug)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// All of `input`.
    pub fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At most `count` bytes.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    /// One byte.
    pub fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    /// Two bytes.
    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    /// Four bytes.
    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// Sixteen bytes.
    pub fn u128(&mut self) -> u128 {
        u128::from_le_bytes(self.array())
    }

    /// A number below `choices`, by one byte. 0 when there is nothing to choose from.
    pub fn below(&mut self, choices: usize) -> usize {
        usize::from(self.u8()) % choices.max(1)
    }

    /// Whether something that should happen `of_256` times in 256 happens. Never at the end.
    pub fn rarely(&mut self, of_256: u8) -> bool {
        let byte = self.u8();
        byte != 0 && byte <= of_256
    }

    /// A value in SCALE from the next bytes, which are as many as one byte tells, times 4.
    pub fn decode<T: DecodeLimit>(&mut self) -> Option<T> {
        let length = usize::from(self.u8()) * 4;
        T::decode_with_depth_limit(DEPTH, &mut self.take(length)).ok()
    }

    /// `value` with one byte of its encoding changed, if that can still be decoded.
    pub fn mutate<T: DecodeLimit + Encode>(&mut self, value: T) -> T {
        let mut encoded = value.encode();
        let at = usize::from(self.u16());
        let change = self.u8();
        match encoded.len() {
            0 => return value,
            length => encoded[at % length] ^= change,
        }
        T::decode_all_with_depth_limit(DEPTH, &mut &encoded[..]).unwrap_or(value)
    }
}
