//! Small whole numbers: runs of one that is repeated, and runs that are packed bit by bit. Levels, and places in a dictionary.

use super::Found;

/// What is still to be read between two places of a page.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    /// The bits of each number.
    width: u32,
    at: usize,
    end: usize,
    /// How many numbers of this run are left, and which one it repeats, or at which bit the next one begins.
    left: u64,
    repeated: Option<u32>,
    bit: usize,
}

impl Runs {
    pub(super) fn new(width: u32, at: usize, end: usize) -> Found<Self> {
        if width > 32 {
            return Err(format!("numbers of {width} bits"));
        }
        Ok(Runs { width, at, end, ..Runs::default() })
    }

    pub(super) fn next(&mut self, page: &[u8]) -> Found<u32> {
        while self.left == 0 {
            self.run(page)?;
        }
        self.left -= 1;
        if let Some(repeated) = self.repeated {
            return Ok(repeated);
        }
        let bit = self.bit;
        self.bit += self.width as usize;
        Ok(bits(page, bit, self.width) as u32)
    }

    /// Reads the head of the next run.
    fn run(&mut self, page: &[u8]) -> Found<()> {
        let head = unsigned(&page[..self.end], &mut self.at)?;
        self.left = head >> 1;
        if head & 1 == 0 {
            let bytes = self.width.div_ceil(8) as usize;
            let value = page[self.at..self.end].get(..bytes).ok_or("a run that is cut off")?;
            self.repeated = Some(value.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)));
            self.at += bytes;
            return Ok(());
        }
        // Groups of eight; the last may be cut to the bytes that hold numbers.
        let left = (self.end - self.at) as u64;
        let bytes = self.left.saturating_mul(u64::from(self.width)).min(left);
        (self.repeated, self.bit) = (None, self.at * 8);
        self.at += bytes as usize;
        self.left = match self.width {
            // Numbers of no bits are all 0.
            0 => {
                self.repeated = Some(0);
                self.left.saturating_mul(8)
            }
            width => bytes * 8 / u64::from(width),
        };
        match bytes {
            0 if self.width > 0 => Err("a run that is cut off".into()),
            _ => Ok(()),
        }
    }
}

/// A number of seven bits a byte, the lowest first.
pub(super) fn unsigned(page: &[u8], at: &mut usize) -> Found<u64> {
    let mut value = 0;
    for place in 0..10 {
        let byte = *page.get(*at).ok_or("a run that is cut off")?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("a number without an end".into())
}

/// So many bits, up to 64, from this one on; those beyond the page are 0.
pub(super) fn bits(page: &[u8], bit: usize, width: u32) -> u64 {
    let from = bit / 8;
    let mut bytes = [0; 16];
    if let Some(there) = page.get(from..) {
        let count = there.len().min(9);
        bytes[..count].copy_from_slice(&there[..count]);
    }
    let value = u128::from_le_bytes(bytes) >> (bit % 8);
    (value & ((1u128 << width) - 1)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_as_the_format_s_example_has_them() {
        // 0 to 7 in three bits each, then 4 five times.
        let page = [3, 0b1000_1000, 0b1100_0110, 0b1111_1010, 10, 4];
        let mut runs = Runs::new(3, 0, page.len()).unwrap();
        let found: Vec<u32> = (0..13).map(|_| runs.next(&page).unwrap()).collect();
        assert_eq!(found, [0, 1, 2, 3, 4, 5, 6, 7, 4, 4, 4, 4, 4]);
        assert!(runs.next(&page).is_err());
        assert!(Runs::new(33, 0, 0).is_err());
    }
}
