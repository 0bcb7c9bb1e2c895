//! What can be wrong with names, versions and settings that do not go together.

use crate::declare_rules;

declare_rules! {
    /// ## What it does
    /// Reports a name that nothing has: of a region, a network, a cluster, a workload, a service,
    /// a capability, an external peer, a zone or an issuer.
    ///
    /// ## Why it matters
    /// A reference to nothing is a flow that is not opened, or a cluster that is left out. With
    /// the nearest declared name as help, since most are typing errors.
    ///
    /// ## Example
    /// ```yaml
    /// from: [payment-fronted]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// from: [payment-frontend]
    /// ```
    pub static DANGLING_NAME = { code: "LB0013", name: "dangling-name", summary: "a name that nothing has", severity: Error };

    /// ## What it does
    /// Reports what the language knows and does not model, or what the chosen Cilium cannot do:
    /// the entity `cluster-mesh` before 1.20, the Multi-Cluster Services API before 1.17.
    ///
    /// ## Why it matters
    /// What is ignored looks as if it worked.
    ///
    /// ## Example
    /// ```yaml
    /// versions: {cilium: 1.19.6}
    /// # …
    /// from: [{entity: cluster-mesh}]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// from: [{entity: cluster}]
    /// ```
    pub static UNSUPPORTED = { code: "LB0015", name: "unsupported-feature", summary: "something that the chosen versions cannot do", severity: Error };

    /// ## What it does
    /// Reports settings that do not go together: a service of a workload that is not there, an
    /// export without `discovery.mcs`, ENI addresses with tunnel routing, a peer whose limits
    /// leave no cluster, a flow without ports.
    ///
    /// ## Why it matters
    /// Each is fine by itself; together they would give a manifest that does not do what one of
    /// them says. Cilium's agents stop on some of them, which the chart does not notice.
    ///
    /// ## Example
    /// ```yaml
    /// mesh: {discovery: {mcs: false}}
    /// # …
    /// services: {api: {workload: api, ports: [{port: 80}], export: true}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// mesh: {discovery: {mcs: true}}
    /// ```
    pub static CONTRADICTION = { code: "LB0016", name: "contradicting-settings", summary: "settings that do not go together", severity: Error };

    /// ## What it does
    /// Reports a part of the topology that is read and of which this version writes nothing:
    /// `entrypoints` in a zone whose provider is `other`.
    ///
    /// ## Why it matters
    /// Whoever declares it would otherwise look for it in the output.
    ///
    /// ## Example
    /// ```yaml
    /// dns: {zones: [{name: example.com, provider: other}]}
    /// entrypoints: {api.example.com: {routing: failover, targets: {use1: {}, euw1: {}}}}
    /// ```
    ///
    /// Use instead:
    /// Nothing; what is declared stays valid, and its names are checked.
    pub static NOT_COMPILED = { code: "LB0017", name: "not-compiled", summary: "a part of the topology of which nothing is written yet", severity: Warning };

    /// ## What it does
    /// Reports native routing whose `nativeRoutingCIDR` leaves out pods of some cluster, or that
    /// does not say it although the smallest range around all pods holds other addresses too.
    ///
    /// ## Why it matters
    /// What lies outside the range is masqueraded: the other cluster then sees a node, not a pod,
    /// and drops the packet by policy. What lies inside and is no pod is not masqueraded, and
    /// answers get lost. Source: Cilium's guide "Setting up Cluster Mesh", and
    /// `pkg/option/config.go`, which stops agents that have no range.
    ///
    /// ## Example
    /// ```yaml
    /// routing: {mode: native, nativeRoutingCIDR: 10.1.0.0/16}
    /// # a cluster with podCIDRs: [10.2.0.0/16]
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// routing: {mode: native, nativeRoutingCIDR: 10.0.0.0/8}
    /// ```
    pub static NATIVE_ROUTING_GAP = { code: "LB1002", name: "native-routing-gap", summary: "a native routing range that does not fit the mesh's pods", severity: Error };

    /// ## What it does
    /// Reports a version that is not exact: `latest`, `1.19`, `~1.19.0`, `1.x`, `v1.19.6`.
    ///
    /// ## Why it matters
    /// Two clusters that were installed on two days then run two versions, and nobody decided
    /// that. The values of a chart are right for one exact version.
    ///
    /// ## Example
    /// ```yaml
    /// versions: {cilium: "1.19"}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// versions: {cilium: 1.19.6}
    /// ```
    pub static FLOATING_VERSION = { code: "LB3001", name: "floating-version", summary: "a version that is not exact", severity: Error };

    /// ## What it does
    /// Reports a Cilium minor whose chart this tool does not know: it knows 1.16 to 1.20.
    ///
    /// ## Why it matters
    /// Keys of the chart come and go from one minor to the next, and the chart ignores those that
    /// it does not know. Values for an unknown chart would be guessed.
    ///
    /// ## Example
    /// ```yaml
    /// versions: {cilium: 1.15.0}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// versions: {cilium: 1.19.6}
    /// ```
    pub static UNSUPPORTED_CILIUM = { code: "LB3002", name: "unsupported-cilium", summary: "a Cilium minor whose chart is not known", severity: Error };
}
