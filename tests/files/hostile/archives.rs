//! Malicious zip archives: with false declarations, hidden members, or bombs.

use super::*;
use crate::zip::{Member, archive};

/// A member of an archive written by this crate.
pub fn member(file: &[u8], name: &str) -> Vec<u8> {
    let four = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let mut at = 0;
    loop {
        let (size, long) = (four(at + 18), usize::from(file[at + 26]));
        let start = at + 30 + long;
        if &file[at + 30..start] == name.as_bytes() {
            return file[start..start + size].to_vec();
        }
        at = start + size;
    }
}

/// The three members of an intact file.
pub fn whole() -> [Member; 3] {
    let file = saved("keras");
    ["metadata.json", "config.json", "model.weights.h5"]
        .map(|name| Member::stored(name, &member(&file, name)))
}

/// Checks that an intact file with one changed member is refused.
#[track_caller]
fn changed(what: &str, place: usize, change: impl Fn(&mut Member), words: &str) {
    let mut members = whole();
    change(&mut members[place]);
    refused(what, load(Format::Keras, &archive(&members)), words);
}

#[test]
fn archives_with_false_declarations_are_refused() {
    load(Format::Keras, &archive(&whole())).unwrap();
    for name in ["../x", "a/../../x", "/etc/x", "C:\\x", "a\\..\\b", "\\x", "a\0b", ""] {
        changed(name, 0, |member| member.name = name.into(), "which is outside of the archive");
    }
    changed("a long name", 0, |member| member.name = vec![b'a'; 60_000], "a name of more than 32768 bytes");
    changed("no text", 0, |member| member.name = vec![0xff, 0xfe], "a name that is not UTF-8");
    changed("a link", 2, |member| member.attributes = 0o120_777 << 16, "is a link");
    changed("encrypted", 2, |member| member.flags = 1, "is encrypted");
    changed("a method", 2, |member| member.method = 12, "is compressed by method 12");
    changed("a checksum", 1, |member| member.crc ^= 1, "expected the checksum");
    changed("a size", 2, |member| member.size += 1, "stored, but with two sizes");
    changed(
        "a short member",
        2,
        |member| (member.size, member.packed) = (u32::MAX - 1, u32::MAX - 1),
        "exceeds the file",
    );
    changed("another name", 1, |member| member.name = b"config.jsan".into(), "no such member");
    changed("twice", 0, |member| member.name = b"config.json".into(), "two members are named");
    changed("overlapping", 1, |member| member.at = Some(0), "members overlap");
    for place in 0..3 {
        let members: Vec<Member> =
            whole().into_iter().enumerate().filter(|(i, _)| *i != place).map(|(_, m)| m).collect();
        refused("a missing member", load(Format::Keras, &archive(&members)), "no such member");
    }
}

#[test]
fn zip_bombs_are_refused() {
    let zeros = vec![0; 100_000_000];
    let [metadata, config, weights] = whole();
    let bomb = archive(&[metadata, config, Member::deflated("model.weights.h5", &zeros)]);
    assert!(bomb.len() < 200_000);
    refused("a bomb", load(Format::Keras, &bomb), "more memory than twice the file's size");
    let mut liar = Member::deflated("config.json", &zeros[..1000]);
    (liar.size, liar.crc) = (10, 0);
    refused("longer than declared", load(Format::Keras, &archive(&[liar])), "");
    let mut liar = Member::deflated("config.json", b"{}");
    liar.size = 1_000_000;
    refused("an impossible size", load(Format::Keras, &archive(&[liar])), "");
    let [metadata, config, _] = whole();
    let packed = [
        Member::deflated("metadata.json", &metadata.bytes),
        Member::deflated("config.json", &config.bytes),
        Member::deflated("model.weights.h5", &weights.bytes),
    ];
    load(Format::Keras, &archive(&packed)).unwrap();
}

#[test]
fn archives_with_too_many_members_are_refused() {
    let mut members: Vec<Member> = (0..60_000).map(|i| Member::stored(&i.to_string(), b"")).collect();
    members.extend(whole());
    let _ = load(Format::Keras, &archive(&members));
    let mut end = archive(&whole());
    let at = end.len() - 14;
    end[at..at + 4].fill(0xff);
    refused("a false number of members", load(Format::Keras, &end), "");
    let mut beyond = archive(&whole());
    let at = beyond.len() - 10;
    beyond[at..at + 8].fill(0xff);
    refused("missing sizes beyond 4 GiB", load(Format::Keras, &beyond), "its end");
}
