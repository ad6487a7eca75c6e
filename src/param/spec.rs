//! The specification of a parameter.

use super::{BuildContext, Param};
use crate::config::{Config, Entry, Fields};
use crate::constraint::Constraint;
use crate::error::Result;
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
}

impl Spec {
    /// A specification without regularizer and constraint.
    pub(crate) fn new(initializer: Initializer) -> Self {
        Spec { initializer, regularizer: None, constraint: None }
    }

    /// Creates the parameter.
    pub(crate) fn param<F: Scalar>(
        &self,
        name: &'static str,
        shape: &[usize],
        context: &mut BuildContext,
    ) -> Result<Param<F>> {
        self.regularizer.iter().try_for_each(Regularizer::check)?;
        self.constraint.iter().try_for_each(|constraint| constraint.check(shape))?;
        let mut param = Param::new(name, shape, &self.initializer, context)?;
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
