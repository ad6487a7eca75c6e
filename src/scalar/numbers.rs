//! Numbers whose precision is known only at run time, for interfaces that cannot be generic over it.

/// A slice of either precision.
///
/// # Example
/// ```
/// use cornu::distributed::Numbers;
/// let mut values = [1.0, 2.0f32];
/// assert!(matches!(Numbers::F32(&mut values), Numbers::F32([1.0, 2.0])));
/// ```
#[derive(Debug)]
pub enum Numbers<'n> {
    /// Single precision.
    F32(&'n mut [f32]),
    /// Double precision.
    F64(&'n mut [f64]),
}

/// A vector of either precision.
///
/// # Example
/// ```
/// use cornu::distributed::OwnedNumbers;
/// assert_eq!(OwnedNumbers::F64(vec![1.0]), OwnedNumbers::F64(vec![1.0]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum OwnedNumbers {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

impl OwnedNumbers {
    /// A mutable view of the numbers.
    pub fn as_numbers(&mut self) -> Numbers<'_> {
        match self {
            OwnedNumbers::F32(numbers) => Numbers::F32(numbers),
            OwnedNumbers::F64(numbers) => Numbers::F64(numbers),
        }
    }
}

/// The conversions between generic code and these enums. It also seals [`Scalar`](super::Scalar), as nothing outside this
/// crate can name it.
pub trait AsNumbers: Sized {
    fn to_numbers(numbers: &mut [Self]) -> Numbers<'_>;

    fn to_owned_numbers(numbers: Vec<Self>) -> OwnedNumbers;

    /// `None` if the numbers have the other precision.
    fn from_owned_numbers(numbers: OwnedNumbers) -> Option<Vec<Self>>;
}

macro_rules! precision {
    ($($scalar:ty => $variant:ident),*) => {$(
        impl AsNumbers for $scalar {
            fn to_numbers(numbers: &mut [Self]) -> Numbers<'_> {
                Numbers::$variant(numbers)
            }
            fn to_owned_numbers(numbers: Vec<Self>) -> OwnedNumbers {
                OwnedNumbers::$variant(numbers)
            }
            fn from_owned_numbers(numbers: OwnedNumbers) -> Option<Vec<Self>> {
                match numbers {
                    OwnedNumbers::$variant(numbers) => Some(numbers),
                    _ => None,
                }
            }
        }
    )*};
}

precision!(f32 => F32, f64 => F64);
