//! An event file: records of `length · sum over it · event · sum over that`, in the framing of TFRecord, whose sums are
//! masked CRC-32C.

use std::fs::{File, OpenOptions, create_dir_all};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crc::Crc;
use prost::Message;

use super::proto::{Event, EventSummary, SummaryValue};
use crate::error::{Error, Result};

/// The number of files that this process has opened.
static OPENED: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
pub(super) struct Events {
    path: PathBuf,
    /// The length of the complete records.
    length: u64,
    /// Records that could not be written yet.
    pending: Vec<u8>,
}

impl Events {
    /// Creates a file in this folder, which is created if needed.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        create_dir_all(folder).map_err(|error| named(folder, &error))?;
        let path = || {
            let number = OPENED.fetch_add(1, Ordering::Relaxed);
            folder.join(format!("events.out.tfevents.{:.0}.cornu.{}.{number}.v2", now(), std::process::id()))
        };
        // Processes in different containers may have the same number.
        let path = std::iter::repeat_with(path).find(|path| !path.exists()).unwrap_or_else(path);
        let mut events = Events { path, length: 0, pending: head() };
        events.flush()?;
        Ok(events)
    }

    /// Adds an event with these values.
    pub(super) fn write(&mut self, step: usize, value: Vec<SummaryValue>) -> Result<()> {
        let (wall_time, step) = (now(), step as i64);
        let event = Event { wall_time, step, summary: Some(EventSummary { value }), ..Event::default() };
        self.pending.extend(record(&event.encode_to_vec()));
        self.flush()
    }

    /// Writes the pending records. A partially written record is cut off by the next attempt.
    fn flush(&mut self) -> Result<()> {
        let mut write = || -> io::Result<()> {
            let mut file: File =
                OpenOptions::new().write(true).create(true).truncate(false).open(&self.path)?;
            if file.metadata()?.len() < self.length {
                // The file was deleted or cut; its first record must be the head again.
                self.length = 0;
                self.pending.splice(0..0, head());
            }
            file.set_len(self.length)?;
            file.seek(SeekFrom::End(0))?;
            file.write_all(&self.pending)
        };
        write().map_err(|error| named(&self.path, &error))?;
        self.length += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

/// The first record of a file.
fn head() -> Vec<u8> {
    let version = Some("brain.Event:2".into());
    record(&Event { wall_time: now(), file_version: version, ..Event::default() }.encode_to_vec())
}

fn named(path: &Path, error: &io::Error) -> Error {
    Error::outside(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

fn record(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    let sums = [masked(&length), masked(event)].map(u32::to_le_bytes);
    [&length[..], &sums[0], event, &sums[1]].concat()
}

/// The checksum as a record holds it: rotated and shifted, since a record may hold checksums itself.
fn masked(bytes: &[u8]) -> u32 {
    CRC_32C.checksum(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// The cyclic redundancy check with Castagnoli's polynomial, from the crate `crc`.
static CRC_32C: Crc<u32> = Crc::<u32>::new(&crc::CRC_32_ISCSI);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        assert_eq!(CRC_32C.checksum(b"123456789"), 0xE306_9283);
        assert_eq!(CRC_32C.checksum(&[0; 32]), 0x8A91_36AA);
        assert_eq!(CRC_32C.checksum(&[0xFF; 32]), 0x62A8_AB43);
        let record = record(b"event");
        assert_eq!(record.len(), 8 + 4 + 5 + 4);
        assert_eq!(record[12..17], *b"event");
    }

    #[test]
    fn histograms_count_every_finite_number_once() {
        for (values, rows) in [
            (vec![], 0),
            (vec![f64::NAN, f64::INFINITY], 0),
            (vec![2.0; 7], 1),
            ((0..1000).map(|i| f64::from(i).sin()).collect(), 30),
        ] {
            let finite = values.iter().filter(|value| value.is_finite()).count();
            let bytes = SummaryValue::histogram("w".into(), &values).encode_to_vec();
            let text = format!("{:?}", SummaryValue::decode(&bytes[..]).unwrap());
            let numbers = text.split("double_val: [").nth(1).unwrap().split(']').next().unwrap();
            let numbers: Vec<f64> = numbers.split(", ").filter_map(|n| n.parse().ok()).collect();
            assert_eq!(numbers.len(), 3 * rows);
            assert_eq!(numbers.chunks_exact(3).map(|row| row[2]).sum::<f64>(), finite as f64);
            assert!(numbers.chunks_exact(3).all(|row| row[0] < row[1]));
        }
    }
}
