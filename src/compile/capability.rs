//! Halves of flows whose subject is a capability's pods, in any namespace.

use super::Input;
use super::network_policy::{Scope, write};
use crate::resource::Desired;

/// Adds a clusterwide policy for each half of a flow with a capability's pods.
///
/// It grants and never isolates: `enableDefaultDeny` is off in both directions, so that a label
/// takes nothing from pods of namespaces that are not declared: HTTP rules limit nothing there
/// either.
/// Sources: Cilium's documentation, `enableDefaultDeny` in "Rule Basics"; `createL4Filter` in
/// `pkg/policy/l4.go`.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    write(input, Scope::AnyNamespace, desired);
}
