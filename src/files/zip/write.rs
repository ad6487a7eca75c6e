//! Writes an archive of stored members.

use std::io::{Error, Result, Write};

use super::{BEYOND, CENTRAL, END, END_64, LOCAL, LOCATOR_64, LONGEST, SIZES_64};

/// Passes the bytes of a member on in pieces, the same ones at each call.
pub(crate) type EntryData<'a> = dyn Fn(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> + 'a;

/// An archive under construction.
pub(crate) struct ArchiveWriter<W> {
    to: W,
    at: u64,
    directory: Vec<u8>,
    count: u64,
}

impl<W: Write> ArchiveWriter<W> {
    pub(crate) fn new(to: W) -> Self {
        ArchiveWriter { to, at: 0, directory: Vec::new(), count: 0 }
    }

    /// Adds a member.
    pub(crate) fn add(&mut self, name: &str, content: &EntryData) -> Result<()> {
        let (mut size, mut hasher) = (0, crc32fast::Hasher::new());
        content(&mut |piece| {
            size += piece.len() as u64;
            hasher.update(piece);
            Ok(())
        })?;
        let crc = hasher.finalize();
        if name.len() > LONGEST {
            return Err(Error::other(format!("a name of more than {LONGEST} bytes")));
        }
        let (header, beyond) = (self.at, size >= BEYOND || self.at >= BEYOND);
        let shown = if beyond { BEYOND as u32 } else { size as u32 };
        // Version 4.5 for sizes beyond 4 GiB, else 2.0. Flag: the name is UTF-8. Method: stored. Date: 1980-01-01, so
        // that equal contents give equal bytes.
        let mut record = Vec::new();
        record.extend(if beyond { 45u16 } else { 20 }.to_le_bytes());
        record.extend([0, 8, 0, 0, 0, 0, 0x21, 0]);
        record.extend(crc.to_le_bytes());
        record.extend(shown.to_le_bytes());
        record.extend(shown.to_le_bytes());
        record.extend((name.len() as u16).to_le_bytes());
        let extra = |sizes: &[u64]| {
            let mut field = Vec::new();
            if beyond {
                field.extend(SIZES_64.to_le_bytes());
                field.extend((8 * sizes.len() as u16).to_le_bytes());
                sizes.iter().for_each(|size| field.extend(size.to_le_bytes()));
            }
            field
        };
        let (local, central) = (extra(&[size, size]), extra(&[size, size, header]));
        self.put(&LOCAL.to_le_bytes())?;
        self.put(&record)?;
        self.put(&(local.len() as u16).to_le_bytes())?;
        self.put(name.as_bytes())?;
        self.put(&local)?;
        self.directory.extend(CENTRAL.to_le_bytes());
        // Created by version 4.5 on Unix.
        self.directory.extend([45, 3]);
        self.directory.extend(record);
        self.directory.extend((central.len() as u16).to_le_bytes());
        // No comment, disk 0, no internal attributes; mode rw-r--r--.
        self.directory.extend([0; 6]);
        self.directory.extend((0o100_644u32 << 16).to_le_bytes());
        self.directory.extend(if beyond { BEYOND as u32 } else { header as u32 }.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.directory.extend(central);
        self.count += 1;
        let start = self.at;
        content(&mut |piece| self.put(piece))?;
        if self.at - start != size {
            return Err(Error::other(format!("{name} changed while it was written")));
        }
        Ok(())
    }

    /// Writes the directory and the end.
    pub(crate) fn finish(mut self) -> Result<()> {
        let (start, directory) = (self.at, std::mem::take(&mut self.directory));
        let len = directory.len() as u64;
        self.put(&directory)?;
        if start >= BEYOND || len >= BEYOND || self.count >= 0xffff {
            let end = self.at;
            let mut record = Vec::new();
            record.extend(END_64.to_le_bytes());
            record.extend(44u64.to_le_bytes());
            record.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for number in [self.count, self.count, len, start] {
                record.extend(number.to_le_bytes());
            }
            record.extend(LOCATOR_64.to_le_bytes());
            record.extend(0u32.to_le_bytes());
            record.extend(end.to_le_bytes());
            record.extend(1u32.to_le_bytes());
            self.put(&record)?;
        }
        let mut end = Vec::new();
        end.extend(END.to_le_bytes());
        end.extend([0; 4]);
        end.extend([(self.count.min(0xffff) as u16).to_le_bytes(); 2].concat());
        end.extend((len.min(BEYOND) as u32).to_le_bytes());
        end.extend((start.min(BEYOND) as u32).to_le_bytes());
        end.extend([0; 2]);
        self.put(&end)?;
        self.to.flush()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.at += bytes.len() as u64;
        self.to.write_all(bytes)
    }
}
