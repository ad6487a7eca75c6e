//! The specification of a parameter.

use super::{BuildContext, Param};
use crate::config::{Config, Entry, Fields};
use crate::constraint::Constraint;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::regularizer::Regularizer;
use crate::scalar::Scalar;

/// The specification of a parameter, set by the setters `kernel_initializer`, `kernel_regularizer` and
/// `kernel_constraint` of a layer.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) initializer: Initializer,
    pub(crate) regularizer: Option<Regularizer>,
    pub(crate) constraint: Option<Constraint>,
    pub(crate) setters: SpecSetters,
}

/// The names of the setters of a [`Spec`], for errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpecSetters {
    pub(crate) initializer: &'static str,
    pub(crate) regularizer: &'static str,
    pub(crate) constraint: &'static str,
}

/// A [`Spec`] without regularizer and constraint, whose setters start with this name:
/// `spec!("kernel", Initializer::GlorotUniform)`.
macro_rules! spec {
    ($name:literal, $initializer:expr) => {
        crate::param::Spec {
            initializer: $initializer,
            regularizer: None,
            constraint: None,
            setters: crate::param::SpecSetters {
                initializer: concat!($name, "_initializer"),
                regularizer: concat!($name, "_regularizer"),
                constraint: concat!($name, "_constraint"),
            },
        }
    };
}
pub(crate) use spec;

impl Spec {
    /// Creates the parameter.
    pub(crate) fn param<F: Scalar>(
        &self,
        name: &'static str,
        shape: &[usize],
        context: &mut BuildContext,
    ) -> Result<Param<F>> {
        let SpecSetters { initializer, regularizer, constraint } = self.setters;
        let named = |setter| move |error: Error| error.of_argument(setter);
        self.regularizer.iter().try_for_each(Regularizer::check).map_err(named(regularizer))?;
        self.constraint.iter().try_for_each(|bound| bound.check(shape)).map_err(named(constraint))?;
        let mut param = Param::new(name, shape, &self.initializer, context).map_err(named(initializer))?;
        (param.regularizer, param.constraint) = (self.regularizer, self.constraint.clone());
        Ok(param)
    }
}

/// The setters of a [`Spec`] field of a layer:
/// `spec_setters!(kernel: "the kernel", "`GlorotUniform`", kernel_initializer, kernel_regularizer, kernel_constraint);`
macro_rules! spec_setters {
    ($field:ident: $what:literal, $default:literal, $initializer:ident, $regularizer:ident, $constraint:ident) => {
        #[doc = concat!("The first values of ", $what, ". Default: ", $default, ".")]
        pub fn $initializer(mut self, initializer: crate::Initializer) -> Self {
            self.$field.initializer = initializer;
            self
        }

        #[doc = concat!("The penalty of ", $what, " in the loss. Default: none.")]
        pub fn $regularizer(mut self, regularizer: crate::Regularizer) -> Self {
            self.$field.regularizer = Some(regularizer);
            self
        }

        #[doc = concat!("The constraint of ", $what, " after every update. Default: none.")]
        pub fn $constraint(mut self, constraint: crate::Constraint) -> Self {
            self.$field.constraint = Some(constraint);
            self
        }
    };
}
pub(crate) use spec_setters;

/// Three settings: `kernel_initializer`, `kernel_regularizer` and `kernel_constraint`.
impl Entry for Spec {
    fn put(&self, name: &str, to: &mut Config) {
        self.initializer.put(&format!("{name}_initializer"), to);
        self.regularizer.put(&format!("{name}_regularizer"), to);
        self.constraint.put(&format!("{name}_constraint"), to);
    }

    fn take(&mut self, name: &str, from: &mut Fields) -> Result<()> {
        from.read(&format!("{name}_initializer"), &mut self.initializer)?;
        from.read(&format!("{name}_regularizer"), &mut self.regularizer)?;
        from.read(&format!("{name}_constraint"), &mut self.constraint)
    }

    fn demand(&mut self, name: &str, from: &mut Fields) -> Result<()> {
        self.take(name, from)
    }
}
