//! Instruction sets.

use std::sync::OnceLock;

use crate::error::{Error, Result};

/// An instruction set, chosen when the program runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Isa {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

/// The environment variable that names the instruction set to use.
const VARIABLE: &str = "CORNU_ISA";

/// Checks that the instruction set named by `CORNU_ISA`, if any, is one of this machine.
pub(crate) fn check_isa() -> Result<()> {
    chosen().as_ref().map(|_| ()).map_err(Clone::clone)
}

/// The instruction set of this process.
#[inline]
fn chosen() -> &'static Result<Isa> {
    static CHOSEN: OnceLock<Result<Isa>> = OnceLock::new();
    CHOSEN.get_or_init(|| match std::env::var_os(VARIABLE) {
        None => Ok(Isa::best()),
        Some(name) => Isa::named(&name.to_string_lossy()),
    })
}

impl Isa {
    /// The instruction set that `CORNU_ISA` names, or else the best of this machine.
    #[inline]
    pub(super) fn get() -> Isa {
        chosen().as_ref().copied().unwrap_or_else(|_| Isa::best())
    }

    /// The best instruction set of this machine.
    fn best() -> Isa {
        Isa::available()[0]
    }

    /// The instruction sets of this machine, the best first.
    pub(super) fn available() -> &'static [Isa] {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
            let avx512 =
                std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("avx512vl");
            match (avx2, avx512) {
                (true, true) => &[Isa::Avx512, Isa::Avx2, Isa::Portable],
                (true, false) => &[Isa::Avx2, Isa::Portable],
                _ => &[Isa::Portable],
            }
        }
        #[cfg(target_arch = "aarch64")]
        return &[Isa::Neon, Isa::Portable];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        &[Isa::Portable]
    }

    /// The name of this instruction set in `CORNU_ISA`.
    fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => "neon",
            Isa::Portable => "portable",
        }
    }

    /// The instruction set of this name, if this machine has it.
    fn named(name: &str) -> Result<Isa> {
        let available = Isa::available();
        available.iter().find(|isa| isa.name() == name).copied().ok_or_else(|| {
            let names: Vec<&str> = available.iter().map(|isa| isa.name()).collect();
            Error::argument(
                VARIABLE,
                format!("an instruction set of this machine: {}", names.join(", ")),
                name,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_instruction_sets_of_this_machine_can_be_named() {
        for isa in Isa::available() {
            assert_eq!(Isa::named(isa.name()).ok(), Some(*isa));
        }
        for name in ["", "AVX2", "sse9"] {
            let error = Isa::named(name).unwrap_err().to_string();
            assert!(
                error.starts_with("`CORNU_ISA`: expected an instruction set of this machine: "),
                "{error}"
            );
            assert!(error.ends_with(&format!("portable, found {name}")), "{error}");
        }
    }
}
