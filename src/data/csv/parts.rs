//! Reads a file in parts, each on its own thread.
//!
//! A part ends after a newline. Whether a record also ends there, or the newline is inside quotes, is known only after
//! reading the part. In the latter case, the rest is split again from that record on.

use std::io::{BufRead, Read};
use std::ops::Range;

use super::records::{Records, TextFile};
use crate::data::table::{PartEnd, PartScan, Scan};
use crate::error::Result;
use crate::files::input::{failed, open};
use crate::kernel;

/// The size of a part in bytes, unless a record is longer, and the number of parts for each thread.
const PART: usize = 1 << 18;
const PARTS: usize = 2;

/// Scans all rows of a file.
pub(super) fn scan(file: &TextFile, mut head: Records<impl BufRead>, mut scan: Scan) -> Result<Scan> {
    head.first(&mut |cells, line| scan.row(cells, line))?;
    scan.set_lines(head.lines());
    let fields = head.fields();
    let mut from = head.rest();
    let fail = |error| failed(&file.path.display().to_string(), &error);
    let length = open(&file.path)?.metadata().map_err(fail)?.len() as f64;
    let (mut size, mut bytes, mut ended, mut reserved) = (PART, Vec::new(), false, false);
    while !ended || !bytes.is_empty() {
        let wanted = size * PARTS * kernel::threads();
        if !ended && bytes.len() < wanted {
            let further = wanted - bytes.len();
            bytes.reserve_exact(further);
            let read = from.by_ref().take(further as u64).read_to_end(&mut bytes).map_err(fail)?;
            ended = read < further;
        }
        let parts = split(&bytes, size, ended);
        let feed = |range: &Range<usize>, part: &mut PartScan| {
            let text = &bytes[range.clone()];
            feed(Records::new(file, text, fields), part, ended && range.end == bytes.len())
        };
        let (last, end) = scan.parts(&parts, &feed)?;
        let done = parts.get(last).map_or(0, |part| end.cut.map_or(part.end, |cut| part.start + cut));
        if done == 0 {
            size *= 2;
        } else if !reserved {
            // Slightly more than the first parts suggest.
            let rows = scan.kept() as f64 * 1.02 * length / done as f64;
            scan.allocate((rows as usize).max(scan.kept()))?;
            reserved = true;
        }
        bytes.drain(..done);
    }
    Ok(scan)
}

/// Splits these bytes into parts, each of which ends after a newline, or at the end of the file.
fn split(bytes: &[u8], size: usize, ended: bool) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let rest = &bytes[start..];
        let newline = match rest.get(size..) {
            Some(further) => further.iter().position(|byte| *byte == b'\n').map(|at| size + at),
            None if ended => None,
            None => rest.iter().rposition(|byte| *byte == b'\n'),
        };
        let end = match newline {
            Some(newline) => start + newline + 1,
            None if ended => bytes.len(),
            None => break,
        };
        parts.push(start..end);
        start = end;
    }
    parts
}

/// Scans the records of a part; the records of the last part end at the end of the file.
fn feed(mut records: Records<&[u8]>, part: &mut PartScan, is_last: bool) -> Result<PartEnd> {
    let before = part.lines();
    records.start_after(before);
    while records.read()? {
        if !is_last && records.is_cut() {
            return Ok(PartEnd { lines: records.line() - 1 - before, cut: Some(records.place().0 as usize) });
        }
        records.hand(&mut |cells, line| part.row(cells, line))?;
    }
    // Whether blank lines at the end are rows depends on the next part.
    Ok(match records.blank_end().filter(|_| !is_last) {
        Some((byte, line)) => PartEnd { lines: line - 1 - before, cut: Some(byte as usize) },
        None => PartEnd { lines: records.lines() - before, cut: None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_end_after_newlines() {
        let text = b"a,b\n1,2\n33333333,4\n5";
        assert_eq!(split(text, 2, false), [0..4, 4..8, 8..19]);
        assert_eq!(split(text, 2, true), [0..4, 4..8, 8..19, 19..20]);
        let whole = |end| [std::ops::Range { start: 0, end }];
        assert_eq!(split(text, 100, false), whole(19));
        assert_eq!(split(text, 100, true), whole(20));
        assert!(split(b"55", 1, false).is_empty());
    }
}
