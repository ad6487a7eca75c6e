//! Each format truncated at every 97th byte, and with bytes flipped at random, 10,000 times.

use super::archives::whole;
use super::*;
use crate::zip::{Member, archive};

/// Calls `read` with each truncated file, which must be refused.
fn cuts(bytes: &[u8], read: impl Fn(&[u8]) -> bool) {
    for len in (0..bytes.len()).step_by(97) {
        assert!(!read(&bytes[..len]), "it was read when cut to {len} of {} bytes", bytes.len());
    }
}

/// Calls `read` with 1 to 8 flipped bytes, and returns how often it succeeded.
fn flips(bytes: &[u8], seed: u64, read: impl Fn(&[u8]) -> bool) -> usize {
    let mut rng = Rng::new(seed);
    let mut passed = 0;
    for _ in 0..10_000 {
        let mut changed = bytes.to_vec();
        for _ in 0..1 + rng.bits() % 8 {
            let at = (rng.bits() % bytes.len() as u64) as usize;
            changed[at] = rng.bits() as u8;
        }
        passed += usize::from(changed != bytes && read(&changed));
    }
    passed
}

#[test]
fn damaged_keras_files_are_refused() {
    let bytes = saved("keras");
    cuts(&bytes, |bytes| load(Format::Keras, bytes).is_ok());
    // Dates, attributes and the like in the records of the archive may change unnoticed.
    let passed = flips(&bytes, 1, |bytes| load(Format::Keras, bytes).is_ok());
    assert!(passed < 50, "{passed} of 10,000 were read");
}

#[test]
fn damaged_safetensors_files_are_refused() {
    let bytes = saved("safetensors");
    cuts(&bytes, |bytes| load(Format::SafeTensors, bytes).is_ok());
    let passed = flips(&bytes, 2, |bytes| load(Format::SafeTensors, bytes).is_ok());
    assert!(passed < 50, "{passed} of 10,000 were read");
}

#[test]
fn damaged_npz_files_are_refused() {
    let bytes = saved("npz");
    cuts(&bytes, |bytes| load_weights("npz", bytes).is_ok());
    let passed = flips(&bytes, 3, |bytes| load_weights("npz", bytes).is_ok());
    assert!(passed < 400, "{passed} of 10,000 were read");
}

/// With a corrected checksum, so that the inner readers see the change.
#[test]
fn damaged_members_with_valid_checksums_do_not_panic() {
    for place in 0..3 {
        let members = whole();
        let with = |bytes: &[u8]| {
            let mut members = whole_of(&members);
            let name = String::from_utf8(members[place].name.clone()).unwrap();
            members[place] = Member::stored(&name, bytes);
            load(Format::Keras, &archive(&members)).is_ok()
        };
        if place != 0 {
            cuts(&members[place].bytes, with);
        }
        flips(&members[place].bytes, 4 + place as u64, with);
    }
}

fn whole_of(members: &[Member; 3]) -> Vec<Member> {
    members.iter().map(|m| Member::stored(std::str::from_utf8(&m.name).unwrap(), &m.bytes)).collect()
}

#[test]
fn damaged_json_does_not_panic() {
    let text = model().to_json().unwrap();
    cuts(text.as_bytes(), |bytes| {
        std::str::from_utf8(bytes).is_ok_and(|text| Sequential::from_json(text).is_ok())
    });
    flips(text.as_bytes(), 9, |bytes| {
        std::str::from_utf8(bytes).is_ok_and(|text| Sequential::from_json(text).is_ok())
    });
}
