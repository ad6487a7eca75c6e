//! Encodes values as little-endian bytes, and decodes them without trusting a length.

use std::time::Duration;

pub(super) mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

/// A type that a [`State`](super::State) can store: numbers, `bool`, `String`, `Duration`, and options, vectors and
/// pairs of these. Sealed.
///
/// # Example
/// ```
/// fn can_be_kept<T: cornu::callback::StateValue>() {}
/// can_be_kept::<Option<Vec<(String, f64)>>>();
/// ```
pub trait StateValue: Sized + Sealed {
    /// The name of the type, for errors.
    #[doc(hidden)]
    const WHAT: &'static str;
    /// The minimum size in bytes.
    #[doc(hidden)]
    const LEAST: usize;
    #[doc(hidden)]
    fn put(&self, to: &mut Vec<u8>);
    /// Decodes a value from the start of `from`, and advances it.
    #[doc(hidden)]
    fn take(from: &mut &[u8]) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Sealed for $number {}
        impl StateValue for $number {
            const WHAT: &'static str = stringify!($number);
            const LEAST: usize = size_of::<$number>();
            fn put(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_le_bytes());
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = from.split_first_chunk()?;
                *from = rest;
                Some(<$number>::from_le_bytes(*bytes))
            }
        }
    )*};
}

numbers!(u8, u32, u64, i32, i64, f32, f64);

macro_rules! by_another {
    ($($value:ty, $least:expr, $by:ty, $what:literal, $to:expr, $from:expr;)*) => {$(
        impl Sealed for $value {}
        impl StateValue for $value {
            const WHAT: &'static str = $what;
            const LEAST: usize = $least;
            fn put(&self, to: &mut Vec<u8>) {
                let by: $by = $to(self);
                by.put(to);
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                $from(<$by>::take(from)?)
            }
        }
    )*};
}

by_another! {
    usize, 8, u64, "usize", |n: &usize| *n as u64, |n| usize::try_from(n).ok();
    bool, 1, u8, "bool", |b: &bool| u8::from(*b), |b| match b { 0 => Some(false), 1 => Some(true), _ => None };
    Duration, 8, u64, "nanoseconds", |d: &Duration| d.as_nanos() as u64, |n| Some(Duration::from_nanos(n));
}

impl Sealed for String {}
impl StateValue for String {
    const WHAT: &'static str = "a text";
    const LEAST: usize = 8;
    fn put(&self, to: &mut Vec<u8>) {
        self.len().put(to);
        to.extend_from_slice(self.as_bytes());
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let length = usize::take(from)?;
        let (text, rest) = from.split_at_checked(length)?;
        *from = rest;
        std::str::from_utf8(text).ok().map(Into::into)
    }
}

impl<T: StateValue> Sealed for Option<T> {}
impl<T: StateValue> StateValue for Option<T> {
    const WHAT: &'static str = "a value or none";
    const LEAST: usize = 1;
    fn put(&self, to: &mut Vec<u8>) {
        self.is_some().put(to);
        self.iter().for_each(|value| value.put(to));
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        match bool::take(from)? {
            true => T::take(from).map(Some),
            false => Some(None),
        }
    }
}

impl<T: StateValue> Sealed for Vec<T> {}
impl<T: StateValue> StateValue for Vec<T> {
    const WHAT: &'static str = "a list";
    const LEAST: usize = 8;
    fn put(&self, to: &mut Vec<u8>) {
        self.len().put(to);
        to.reserve(self.len() * T::LEAST);
        self.iter().for_each(|value| value.put(to));
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let count = usize::take(from)?;
        // Detect a false length before allocating for it.
        if count.checked_mul(T::LEAST)? > from.len() {
            return None;
        }
        (0..count).map(|_| T::take(from)).collect()
    }
}

impl<A: StateValue, B: StateValue> Sealed for (A, B) {}
impl<A: StateValue, B: StateValue> StateValue for (A, B) {
    const WHAT: &'static str = "a pair";
    const LEAST: usize = A::LEAST + B::LEAST;
    fn put(&self, to: &mut Vec<u8>) {
        self.0.put(to);
        self.1.put(to);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: StateValue + PartialEq + std::fmt::Debug>(value: T) {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        assert!(bytes.len() >= T::LEAST);
        let mut rest = &*bytes;
        assert_eq!(T::take(&mut rest), Some(value));
        assert!(rest.is_empty());
        for cut in 0..bytes.len() {
            assert_eq!(T::take(&mut &bytes[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn values_round_trip_and_truncated_ones_are_refused() {
        check(7u8);
        check(-0.0f32);
        check(usize::MAX);
        check(String::from("ä"));
        check(Some(vec![(String::from("loss"), 0.5), (String::new(), f64::INFINITY)]));
        check(vec![vec![1.0f32, 2.0], vec![3.0]]);
        check((true, Some(3u64)));
        check(Duration::from_millis(1500));
        assert!(f64::take(&mut &f64::NAN.to_le_bytes()[..]).is_some_and(f64::is_nan));
    }

    #[test]
    fn a_false_length_allocates_nothing() {
        for count in [u64::MAX, 1 << 63, 1 << 40, 3] {
            let mut bytes = count.to_le_bytes().to_vec();
            bytes.extend([0; 16]);
            assert_eq!(Vec::<f64>::take(&mut &*bytes), None);
            assert_eq!(String::take(&mut &*bytes).is_some(), count == 3);
        }
        assert_eq!(bool::take(&mut &[2][..]), None);
        assert_eq!(String::take(&mut &[1, 0, 0, 0, 0, 0, 0, 0, 0xFF][..]), None);
    }
}
