//! The pages of the findings: what each means, why it happens, how it is mended, and when it is harmless; with a program
//! that raises it, and the same program mended. [`explain`](super::explain) gives the same text while a program runs.

/// One item for each page, and the list that `explain` reads.
macro_rules! pages {
    ($($code:ident)*) => {
        $(
            #[doc = include_str!(concat!("pages/", stringify!($code), ".md"))]
            #[allow(missing_debug_implementations)]
            pub enum $code {}
        )*

        /// The code and the text of every page.
        pub(super) const ALL: &[(&str, &str)] =
            &[$((stringify!($code), include_str!(concat!("pages/", stringify!($code), ".md")))),*];
    };
}

pages! {
    N0101 N0102 N0103 N0104 N0105 N0106 N0107 N0108 N0109 N0110
    N0111 N0112 N0113 N0114 N0115 N0201 N0202 N0203 N0204 N0205
    N0206 N0207 N0208 N0209 N0210 N0301
    N0302 N0303 N0401 N0402 N0403 N0404 N0405 N0406 N0407 N0408
    N0409 N0501 N0502 N0503 N0504
}
