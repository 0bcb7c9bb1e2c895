//! `bootstrap/cilium-operator-policy.json`: what Cilium's operator may do in AWS, where pods have
//! addresses of the VPC.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::iam::{self, Statement};
use crate::resource::Document;
use crate::spec::cluster::IpamMode;
use crate::topology::Cluster;

/// What every supported minor needs. Source: Cilium, "AWS ENI", Required Privileges.
const ALWAYS: [&str; 11] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:AttachNetworkInterface",
    "ec2:CreateNetworkInterface",
    "ec2:CreateTags",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    // The collection of interfaces that no node uses any more, which is on by default.
    "ec2:DescribeTags",
    "ec2:DescribeVpcs",
    "ec2:ModifyNetworkInterfaceAttribute",
];

/// The policy as a file; nothing in other modes.
pub(super) fn document(cluster: &Cluster) -> Option<Document> {
    let policy = policy(cluster)?;
    Some(Document::new("bootstrap/cilium-operator-policy.json", policy, cluster.ipam.span))
}

/// The policy of the operator; nothing where it asks AWS for nothing.
pub(super) fn policy(cluster: &Cluster) -> Option<Value> {
    if cluster.ipam.mode != IpamMode::Eni {
        return None;
    }
    let mut actions = BTreeSet::from(ALWAYS);
    let version = &cluster.cilium.value;
    let since = |minor| (version.major, version.minor) >= (1, minor);
    let said = |key| cluster.said(key).map(|(_, value)| value);
    if since(18) {
        actions.insert("ec2:DescribeRouteTables");
    }
    // Before 1.18 a table in the operator could be used instead.
    if since(18) || said("eni.updateEC2AdapterLimitViaAPI") != Some(Value::Bool(false)) {
        actions.insert("ec2:DescribeInstanceTypes");
    }
    if since(20) && cluster.has_v6() {
        actions.insert("ec2:AssignIpv6Addresses");
    }
    if said("eni.awsReleaseExcessIPs") == Some(Value::Bool(true)) {
        actions.insert("ec2:UnassignPrivateIpAddresses");
    }
    if said("eni.instanceTagsFilter").is_some_and(|filter| filter != Value::Array(Vec::new())) {
        actions.insert("ec2:DescribeInstances");
    }
    // None of the calls that describe takes a resource, and interfaces that are to be made have no
    // name yet. Source: Service Authorization Reference, "Actions defined by Amazon EC2".
    let resources = BTreeSet::from(["*".to_owned()]);
    Some(iam::document([Statement { actions, resources, ..Statement::default() }]))
}
