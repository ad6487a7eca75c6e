//! Decompresses a deflated member in pieces.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use crate::error::Result;
use crate::files::input::Input;

/// Passes the contents of a deflate stream to `f`.
pub(super) fn pieces(packed: &Input, name: &str, f: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    let (mut input, mut output) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let (mut at, mut from, mut to) = (0, 0, 0);
    loop {
        if from == to && at < packed.len() {
            (from, to) = (0, (packed.len() - at).min(input.len() as u64) as usize);
            packed.read(name, at, &mut input[..to])?;
            at += to as u64;
        }
        let done = inflate(&mut state, &input[from..to], &mut output, MZFlush::None);
        from += done.bytes_consumed;
        f(&output[..done.bytes_written])?;
        match done.status {
            Ok(MZStatus::StreamEnd) => return Ok(()),
            Ok(_) if done.bytes_consumed > 0 || done.bytes_written > 0 || at < packed.len() => {}
            Ok(_) | Err(MZError::Buf) => return Err(packed.damaged(name, "it is truncated")),
            Err(problem) => return Err(packed.damaged(name, format!("decompression failed: {problem:?}"))),
        }
    }
}
