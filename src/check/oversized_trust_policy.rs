//! Roles of so many clusters that AWS does not take their trust policy.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::role;
use crate::topology::Topology;
use crate::topology::certificates::DnsRole;

declare_rules! {
    /// ## What it does
    /// Reports roles for DNS zones that so many clusters take that their trust policy is longer than
    /// IAM allows: 2,048 characters without white space unless the account's quota was raised (a
    /// warning), and 8,192 at most.
    ///
    /// ## Why it matters
    /// Every cluster has its own issuer of tokens, and the policy needs a statement for each: six
    /// clusters fill it. AWS refuses the next one, and that cluster gets no certificates. A role for
    /// each cluster has no such limit, and one that leaks is that cluster's alone. Source: IAM,
    /// "IAM and STS quotas", "Role trust policy length".
    ///
    /// ## Example
    /// ```yaml
    /// role: "arn:aws:iam::111122223333:role/dns01"
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// role: "arn:aws:iam::111122223333:role/dns01-{cluster}"
    /// ```
    pub static OVERSIZED_TRUST_POLICY = { code: "LB5009", name: "oversized-trust-policy", summary: "a role of more clusters than its trust policy can name", severity: Error };
}

/// The quota unless it was raised, and the most that it can be raised to, in characters.
const QUOTA: (usize, usize) = (2_048, 8_192);

/// Reports each such role once.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for (arn, role) in topology.dns_roles() {
        let length = trust_length(topology, &arn, &role);
        let written = role.zones.iter().find_map(|zone| topology.zone(*zone).role.as_ref());
        let (Some(written), true) = (written, length > QUOTA.0) else { continue };
        let count = role.trusted.len();
        let message =
            format!("the trust policy of the role of {count} clusters has {length} characters");
        let finding = Diagnostic::new(&OVERSIZED_TRUST_POLICY, written.span, message)
            .help("give each cluster a role of its own: put `{cluster}` into its name");
        found.push(if length > QUOTA.1 {
            finding.note(format!("IAM takes {} at most", QUOTA.1))
        } else {
            finding.warning().note(format!("IAM takes {} unless the quota was raised", QUOTA.0))
        });
    }
}

/// The length of a role's trust policy without white space.
pub fn trust_length(topology: &Topology, arn: &str, role: &DnsRole) -> usize {
    let Ok(parts) = role::parts(arn) else { return 0 };
    let namespace = &topology.cert_manager.namespace;
    let (partition, owner) = (parts.partition, parts.account);
    let statement = |cluster, account: &str| {
        let url = &topology.cluster(cluster).oidc_issuer.as_ref()?.value;
        let issuer = url.strip_prefix("https://")?;
        let text = format!(
            "{{\"Effect\":\"Allow\",\
             \"Principal\":{{\"Federated\":\"arn:{partition}:iam::{owner}:oidc-provider/{issuer}\"}},\
             \"Action\":[\"sts:AssumeRoleWithWebIdentity\"],\
             \"Condition\":{{\"StringEquals\":{{\"{issuer}:aud\":[\"sts.amazonaws.com\"],\
             \"{issuer}:sub\":[\"system:serviceaccount:{namespace}:{account}\"]}}}}}},"
        );
        Some(text.len())
    };
    let trusted = role.trusted.iter().filter_map(|(cluster, account)| statement(*cluster, account));
    let all: usize = trusted.sum();
    // The frame, without the comma after the last statement.
    (r#"{"Version":"2012-10-17","Statement":[]}"#.len() + all).saturating_sub(1)
}
