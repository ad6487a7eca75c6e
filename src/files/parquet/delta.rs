//! Whole numbers by their differences: blocks of a least difference and small packs of what is beyond it.

use super::Found;
use super::runs::{bits, unsigned};

/// What is still to be read.
#[derive(Debug, Clone, Default)]
pub(super) struct Delta {
    /// Numbers that are left, and how many in all.
    left: u64,
    count: u64,
    value: i64,
    least: i64,
    /// How many numbers a pack has, and how many packs a block.
    pack: u64,
    packs: usize,
    /// Where the widths of the block's packs are, and which pack is read.
    widths: usize,
    now: usize,
    /// What is left of the pack, its width, and the bit of its next number.
    packed: u64,
    width: u32,
    bit: usize,
    /// Where what is not yet read begins.
    at: usize,
}

impl Delta {
    pub(super) fn new(page: &[u8], mut at: usize) -> Found<Self> {
        let block = unsigned(page, &mut at)?;
        let packs = unsigned(page, &mut at)?;
        let count = unsigned(page, &mut at)?;
        let value = signed(page, &mut at)?;
        if packs == 0 || packs > 512 || block > 1 << 20 || !block.is_multiple_of(packs * 8) || block == 0 {
            return Err(format!("blocks of {block} differences in {packs} packs"));
        }
        let (pack, packs) = (block / packs, packs as usize);
        Ok(Delta { left: count, count, value, pack, packs, now: packs, at, ..Delta::default() })
    }

    pub(super) fn next(&mut self, page: &[u8]) -> Found<i64> {
        self.left = self.left.checked_sub(1).ok_or("fewer differences than values")?;
        let value = self.value;
        if self.left > 0 {
            if self.packed == 0 {
                self.step(page)?;
            }
            self.packed -= 1;
            let further = bits(page, self.bit, self.width) as i64;
            self.bit += self.width as usize;
            self.value = self.value.wrapping_add(self.least).wrapping_add(further);
        }
        Ok(value)
    }

    /// Goes to the next pack, which may be in the next block.
    fn step(&mut self, page: &[u8]) -> Found<()> {
        if self.now == self.packs {
            self.least = signed(page, &mut self.at)?;
            self.widths = self.at;
            self.at += self.packs;
            self.now = 0;
        }
        let width = *page.get(self.widths + self.now).ok_or("differences that are cut off")?;
        if width > 64 {
            return Err(format!("differences of {width} bits"));
        }
        (self.width, self.bit, self.packed) = (width.into(), self.at * 8, self.pack);
        self.at += self.pack as usize * usize::from(width) / 8;
        self.now += 1;
        // The last pack may be cut to the bytes that hold numbers.
        let needed = self.left.min(self.pack) as usize * usize::from(width);
        if self.bit + needed > page.len() * 8 {
            return Err("differences that are cut off".into());
        }
        Ok(())
    }

    /// Where what follows begins; there may be `most` numbers.
    pub(super) fn end(&self, page: &[u8], most: u64) -> Found<usize> {
        if self.count > most {
            return Err(format!("{} lengths for {most} values", self.count));
        }
        let mut rest = self.clone();
        for _ in 0..self.count {
            rest.next(page)?;
        }
        Ok(rest.at)
    }
}

fn signed(page: &[u8], at: &mut usize) -> Found<i64> {
    let value = unsigned(page, at)?;
    Ok((value >> 1) as i64 ^ -((value & 1) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_read_as_the_format_s_example_has_them() {
        // 7 5 3 1 2 3 4 5: blocks of 128 in four packs, differences -2 -2 -2 1 1 1 1, of which -2 is the least.
        let mut page = vec![0x80, 1, 4, 8, 14, 3, 2, 0, 0, 0];
        page.extend([0b1100_0000, 0b0011_1111, 0, 0, 0, 0, 0, 0]);
        let mut delta = Delta::new(&page, 0).unwrap();
        assert_eq!(delta.end(&page, 8), Ok(page.len()));
        let found: Vec<i64> = (0..8).map(|_| delta.next(&page).unwrap()).collect();
        assert_eq!(found, [7, 5, 3, 1, 2, 3, 4, 5]);
        assert!(delta.next(&page).is_err());
    }
}
