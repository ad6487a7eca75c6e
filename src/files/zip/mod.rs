//! Zip archives, as Keras and NumPy write them: members stored, or deflated.
//!
//! `rawzip` locates and parses the directory, of which it holds 64 KiB at a time. (The crate `zip` reserves memory for
//! the declared number of members and keeps several hundred bytes of each, which exceeds the memory limit.) This module
//! adds: memory is taken from the budget first; duplicate names, names outside of the archive, links, encryption,
//! overlapping members and sizes impossible for deflate are refused; the header of a member must match the directory,
//! and its bytes the checksum. `miniz_oxide` decompresses: `flate2`, which is built on it, would be the 46th crate of a
//! program that only predicts.

#[cfg(feature = "npy")]
mod inflate;
mod read;
mod write;

pub(crate) use read::Archive;
pub(crate) use write::ArchiveWriter;

/// The maximum length of a member's name.
const LONGEST: usize = 1 << 15;
/// The signatures of the records.
const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
/// The extra field for sizes of 4 GiB and above.
const SIZES_64: u16 = 1;
/// The placeholder for such a size.
const BEYOND: u64 = 0xffff_ffff;

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::super::input::Input;
    use super::*;

    #[test]
    fn written_archives_read_back() {
        let mut file = std::io::Cursor::new(Vec::new());
        let mut writer = ArchiveWriter::new(&mut file);
        writer.add("a", &|put| put(b"12345")).unwrap();
        writer.add("b/c", &|_| Ok(())).unwrap();
        writer.finish().unwrap();
        let bytes = file.into_inner();
        let input = Input::bytes("x.zip", &bytes[..]);
        let budget = Budget::of(input.len());
        let archive = Archive::open(&input, &budget).unwrap();
        assert_eq!(archive.names().collect::<Vec<_>>(), ["a", "b/c"]);
        let member = archive.member("a", &budget).unwrap().unwrap();
        assert_eq!(member.take("a", 0, 5, &budget).unwrap(), b"12345");
        assert_eq!(archive.member("b/c", &budget).unwrap().unwrap().len(), 0);
        assert!(archive.member("c", &budget).unwrap().is_none());
        for len in 0..bytes.len() {
            let input = Input::bytes("x.zip", &bytes[..len]);
            assert!(Archive::open(&input, &budget).is_err(), "cut to {len} bytes");
        }
    }
}
