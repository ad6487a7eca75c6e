//! An allocator that counts what this thread holds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // The counter is gone while a thread ends.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `f`, which may never hold more than `limit` additional bytes.
#[track_caller]
pub fn within<T>(limit: usize, f: impl FnOnce() -> T) -> T {
    let before = HELD.get();
    PEAK.set(before);
    let result = f();
    let held = (PEAK.get() - before) as usize;
    assert!(held <= limit, "held {held} bytes, expected at most {limit}");
    result
}

/// The bytes that reading this file may hold: twice its size, 16 times its settings, and 1 MiB.
pub fn promised(end: &str, file: &[u8]) -> usize {
    let settings = if ["keras", "safetensors"].contains(&end) { settings(file) } else { 0 };
    2 * file.len() + 16 * settings + (1 << 20)
}

/// The bytes of settings in a file: its header in JSON, or the members with JSON of an archive.
fn settings(file: &[u8]) -> usize {
    let number = |at: usize, bytes: usize| -> usize {
        (0..bytes).rev().fold(0, |n, i| n << 8 | usize::from(*file.get(at + i).unwrap_or(&0)))
    };
    if !file.starts_with(b"PK") {
        return number(0, 8).min(file.len());
    }
    let members = (0..file.len()).filter(|&at| file[at..].starts_with(b"PK\x03\x04"));
    let texts = members.filter(|&at| {
        let name = file.get(at + 30..at + 30 + number(at + 26, 2)).unwrap_or_default();
        name.ends_with(b".json")
    });
    texts.map(|at| number(at + 22, 4)).sum::<usize>().min(file.len())
}
