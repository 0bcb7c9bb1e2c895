//! What is known about versions: bad ones, windows of support, ends of life. The same documents
//! are embedded (`policies/versions/`) and written by users, whose own entries overrule.

mod range;

use super::value::{OneOrMany, VersionText, Word};
use crate::diagnostic::Diagnostics;
use crate::source::Spanned;
use crate::system::Date;
use crate::yaml::Node;
use crate::yaml::fields::{Decode, Map, invalid, text};
use crate::yaml::shape::Shape;
use crate::{choice, object};
pub use range::{Interval, Release, VersionRange};

object! {
    /// What is known about versions. An entry overrules the built-in one of the same name;
    /// `landbridge explain versions` prints those.
    pub struct VersionFactsSpec {
        /// Versions, and combinations of them, that break something; by name.
        "bad" => bad: Map<BadVersion>,
        /// What versions of one product are tested or able to work with; by name.
        "support" => support: Map<SupportWindow>,
        /// Versions that their makers no longer mend; by name.
        "ended" => ended: Map<EndOfLife>,
        /// Versions that do not exist, although their neighbours do; by name.
        "unpublished" => unpublished: Map<Unpublished>,
    }

    /// Ranges of versions, by product. Where several products are named, all must fit.
    pub struct VersionRanges {
        /// Cilium's chart.
        "cilium" => cilium: OneOrMany<VersionRange>,
        /// Kubernetes.
        "kubernetes" => kubernetes: OneOrMany<VersionRange>,
        /// cert-manager.
        "certManager" => cert_manager: OneOrMany<VersionRange>,
        /// Other components, by their names in `spec.versions.components`.
        "components" => components: Map<OneOrMany<VersionRange>>,
    }

    /// A version, or a combination of versions, that breaks something.
    pub struct BadVersion {
        /// The versions that break it. `1.16.0` is that one, `1.16` are all its patches; of a
        /// list any may fit.
        "versions" => versions: VersionRanges,
        /// What a cluster must have for it to break; all of them.
        "when" => when: Vec<Condition>,
        /// Helm values of which one must be set in `ciliumValues`, written as for Helm's `--set`:
        /// `key=value`, or `key` for any value.
        "values" => values: Vec<Spanned<Word>>,
        /// What happens.
        "consequence" => consequence: Spanned<Word>,
        /// The first version of each minor that has it no more; of Cilium where `versions` names
        /// it, else of cert-manager, of Kubernetes, of the component.
        "fixedIn" => fixed_in: OneOrMany<Spanned<VersionText>>,
        /// Where that is from: an issue, a release note, a report of one's own.
        "source" => source: Option<Spanned<Word>>,
        /// How bad it is; `error` unless said otherwise.
        "severity" => severity: Option<Spanned<FactSeverity>>,
    }

    /// What versions of one product are tested or able to work with.
    pub struct SupportWindow {
        /// The versions that it is about.
        "versions" => versions: VersionRanges,
        /// What they need. A cluster that does not have a named product is not looked at.
        "needs" => needs: VersionRanges,
        /// What happens otherwise.
        "consequence" => consequence: Option<Spanned<Word>>,
        /// Where that is from.
        "source" => source: Option<Spanned<Word>>,
        /// How bad it is; `warning` unless said otherwise.
        "severity" => severity: Option<Spanned<FactSeverity>>,
    }

    /// Versions that their makers no longer mend.
    pub struct EndOfLife {
        /// The versions.
        "versions" => versions: VersionRanges,
        /// The day on which support ended or ends.
        "since" => since: Spanned<Date>,
        /// Where that is from.
        "source" => source: Option<Spanned<Word>>,
        /// How bad it is; `warning` unless said otherwise.
        "severity" => severity: Option<Spanned<FactSeverity>>,
    }

    /// Versions that do not exist, although their neighbours do.
    pub struct Unpublished {
        /// The versions.
        "versions" => versions: VersionRanges,
        /// Where that is from.
        "source" => source: Option<Spanned<Word>>,
        /// How bad it is; `error` unless said otherwise.
        "severity" => severity: Option<Spanned<FactSeverity>>,
    }
}

choice! {
    /// How bad a version is.
    pub enum FactSeverity {
        /// The mesh would not do what the topology says.
        "error" => Error,
        /// Worth a look.
        "warning" => Warning,
        /// Nothing is said: for a built-in entry that is not wanted.
        "none" => None,
    }

    /// What a cluster must have for a version to break it.
    pub enum Condition {
        /// It is a member of a flat mesh.
        "mesh" => Mesh,
        /// It is a member, and the mesh uses the Multi-Cluster Services API.
        "mcs" => Mcs,
        /// It is a member, and EndpointSlices of other clusters are made.
        "endpoint-slices" => EndpointSlices,
        /// A global service runs in it or is called from it.
        "global-services" => GlobalServices,
        /// Such a service has a port without a name.
        "unnamed-ports" => UnnamedPorts,
        /// Two ports of such a service have the same target port.
        "shared-target-port" => SharedTargetPort,
        /// The Service object of such a service is the team's own.
        "own-global-services" => OwnGlobalServices,
        /// Such a Service of the team's own is said to have the affinity `none`.
        "affinity-none" => AffinityNone,
        /// Its pods have addresses of the VPC.
        "eni" => Eni,
        /// It is an EKS cluster.
        "eks" => Eks,
        /// Masquerading happens in eBPF.
        "bpf-masquerade" => BpfMasquerade,
        /// The native routing range lies in a range of the network other than its first.
        "secondary-native-range" => SecondaryNativeRange,
        /// Cilium does the work of kube-proxy.
        "kube-proxy-replaced" => KubeProxyReplaced,
        /// A flow with an address range begins or ends in it.
        "cidr-policies" => CidrPolicies,
        /// A flow names a port instead of giving its number.
        "named-ports" => NamedPorts,
        /// `upgradeCompatibility` says that it was installed with Cilium 1.15 or older.
        "installed-before-1.16" => InstalledBefore116,
    }
}

impl Decode for Date {
    fn shape() -> Shape {
        Shape::Text {
            what: "a day such as `2027-01-31`",
            pattern: Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let written = text(node, "a day", found)?;
        if let Ok(day) = written.parse() {
            return Some(day);
        }
        let message = format!("`{}` is not a day", written.escape_debug());
        invalid(node.span, message, "write year, month and day, such as `2027-01-31`", found);
        None
    }
}

impl VersionRanges {
    /// Whether no product is named.
    pub fn is_empty(&self) -> bool {
        let named = [&self.cilium, &self.kubernetes, &self.cert_manager];
        named.iter().all(|ranges| ranges.0.is_empty()) && self.components.is_empty()
    }
}
