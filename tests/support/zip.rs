//! Zip archives, well-formed and otherwise, written byte by byte.

use std::io::Write;

use flate2::{Compression, Crc, write::DeflateEncoder};

/// A member of an archive to create, with the declared sizes and checksum.
pub struct Member {
    pub name: Vec<u8>,
    pub bytes: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    pub size: u32,
    pub packed: u32,
    pub crc: u32,
    pub attributes: u32,
    /// The declared offset, if it differs from the real one.
    pub at: Option<u32>,
}

impl Member {
    pub fn stored(name: &str, bytes: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(bytes);
        Member {
            name: name.into(),
            bytes: bytes.into(),
            method: 0,
            flags: 0,
            size: bytes.len() as u32,
            packed: bytes.len() as u32,
            crc: crc.sum(),
            attributes: 0,
            at: None,
        }
    }

    pub fn deflated(name: &str, bytes: &[u8]) -> Self {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::best());
        packer.write_all(bytes).unwrap();
        let packed = packer.finish().unwrap();
        Member { method: 8, packed: packed.len() as u32, bytes: packed, ..Member::stored(name, bytes) }
    }
}

/// Creates an archive of these members.
pub fn archive(members: &[Member]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let start = file.len() as u32;
        let mut record = Vec::new();
        record.extend([20, 0]);
        record.extend(member.flags.to_le_bytes());
        record.extend(member.method.to_le_bytes());
        record.extend([0; 4]);
        record.extend(member.crc.to_le_bytes());
        record.extend(member.packed.to_le_bytes());
        record.extend(member.size.to_le_bytes());
        record.extend((member.name.len() as u16).to_le_bytes());
        record.extend([0; 2]);
        file.extend(b"PK\x03\x04");
        file.extend(&record);
        file.extend(&member.name);
        file.extend(&member.bytes);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&record);
        directory.extend([0; 6]);
        directory.extend(member.attributes.to_le_bytes());
        directory.extend(member.at.unwrap_or(start).to_le_bytes());
        directory.extend(&member.name);
    }
    let start = file.len() as u32;
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([(members.len() as u16).to_le_bytes(); 2].concat());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0; 2]);
    file
}
