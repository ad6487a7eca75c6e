//! Zip archives, as Keras and NumPy write them: members stored, or deflated.
//!
//! `rawzip` finds and parses the directory, and holds 64 KiB of it at a time. (The crate `zip` reserves memory for as many
//! members as the end of a file claims, and keeps some hundred bytes of each, which is more than a load may take.) Added
//! here: memory is taken from the budget first; names that occur twice or lead out of the archive, links, encryption,
//! members that overlap and sizes beyond what deflate can pack are refused; a member's own header must agree with the
//! directory, and its bytes with their checksum. `miniz_oxide` unpacks: `flate2`, which is built on it, would be the 46th
//! crate of a program that only predicts.

#[cfg(feature = "npy")]
mod inflate;
mod read;
mod write;

pub(crate) use read::Archive;
pub(crate) use write::ArchiveWriter;

/// What each record begins with.
const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
/// The field of a record that holds sizes beyond 4 GiB.
const SIZES_64: u16 = 1;
/// What stands in the place of such a size.
const BEYOND: u64 = 0xffff_ffff;

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::super::input::Input;
    use super::*;

    #[test]
    fn what_is_written_is_read() {
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
