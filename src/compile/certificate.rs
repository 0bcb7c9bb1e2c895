//! Certificates of cert-manager.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Input;
use super::metadata::Object;
use crate::resource::Desired;
use crate::topology::certificates::{Certificate, CertificateRequest, object_name};

/// Adds a Certificate for each request of the cluster that has a namespace.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, id, .. } = *input;
    for request in topology.requests.iter().filter(|request| request.clusters.contains(id)) {
        let Some(certificate) = &request.certificate else { continue };
        let issuer = &topology.issuer(request.issuer).name.value;
        let object = Object {
            api_version: "cert-manager.io/v1",
            kind: "Certificate",
            namespace: Some(&certificate.namespace),
            name: &object_name(&request.name),
            labels: &[],
            annotations: Vec::new(),
            origin: request.name.span,
        };
        let spec = spec(request, certificate, issuer);
        desired.resources.push(object.with(topology, Some(("spec", spec))));
    }
}

/// The policy of rotation is always said, since its default changed with 1.18. Source:
/// cert-manager's release notes of 1.18.
fn spec(request: &CertificateRequest, certificate: &Certificate, issuer: &str) -> Value {
    let mut out = Map::new();
    out.insert("secretName".to_owned(), certificate.secret_name.value.as_str().into());
    let others = request.names.iter().filter(|name| name.value != request.name.value);
    let names = std::iter::once(&request.name).chain(others).map(|name| name.value.as_str());
    out.insert("dnsNames".to_owned(), names.collect());
    let times = [("duration", certificate.duration), ("renewBefore", certificate.renew_before)];
    let times = times.into_iter().filter_map(|(key, time)| Some((key, go_duration(time?))));
    out.extend(times.map(|(key, time)| (key.to_owned(), time.into())));
    let mut key = Map::new();
    key.extend(certificate.algorithm.map(|a| ("algorithm".to_owned(), a.word().into())));
    key.extend(certificate.size.map(|size| ("size".to_owned(), size.into())));
    key.insert("rotationPolicy".to_owned(), certificate.rotation.word().into());
    out.insert("privateKey".to_owned(), key.into());
    let reference = json!({"group": "cert-manager.io", "kind": "ClusterIssuer", "name": issuer});
    out.insert("issuerRef".to_owned(), reference);
    out.into()
}

/// A duration as Go's `time.ParseDuration` reads it, which knows no days.
fn go_duration(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.subsec_millis());
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let parts = parts.into_iter().chain([(u64::from(millis), "ms")]);
    let said = parts.filter(|(number, _)| *number > 0);
    let said: Vec<_> = said.map(|(number, unit)| format!("{number}{unit}")).collect();
    said.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_s() {
        let go = |seconds| go_duration(Duration::from_secs(seconds));
        assert_eq!([go(90 * 86_400), go(5_400), go(3_661)], ["2160h", "1h30m", "1h1m1s"]);
    }
}
