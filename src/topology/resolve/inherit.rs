//! What a cluster inherits: its own keys win over its region's, those over the topology's.

use crate::spec::cluster::{Announce, ClusterSpec, MaskSize};
use crate::spec::mesh::Versions;

/// Fills each absent field of `own` with the parent's.
macro_rules! fill {
    ($own:expr, $parent:expr; $($field:ident),+ $(,)?) => {
        $own.broken.extend_from_slice(&$parent.broken);
        $(
            if $own.$field.is_none() {
                $own.$field.clone_from(&$parent.$field);
            }
        )+
    };
}

/// The same for lists, where empty is absent.
macro_rules! fill_lists {
    ($own:expr, $parent:expr; $($field:ident),+ $(,)?) => { $(
        if $own.$field.is_empty() {
            $own.$field.clone_from(&$parent.$field);
        }
    )+ };
}

/// Fills the fields of a mapping that both have, or takes the parent's mapping whole.
macro_rules! fill_inside {
    ($own:expr, $parent:expr; $field:ident: $($inner:ident),+ $(,)?) => {
        match (&mut $own.$field, &$parent.$field) {
            (Some(own), Some(parent)) => { fill!(own, parent; $($inner),+); }
            (own @ None, parent) => own.clone_from(parent),
            (Some(_), None) => {}
        }
    };
}

/// Lets `own` inherit from `parent`. Helm values are not inherited: they are merged in layers.
pub(super) fn inherit(own: &mut ClusterSpec, parent: &ClusterSpec) {
    fill!(own, parent; region, network, mesh, id, role, distribution, max_nodes, max_pods, control_plane,
        api_server, kube_proxy, mtu, upgrade_compatibility, identity,
        access);
    fill_lists!(own, parent; node_cidrs, pod_cidrs, service_cidrs);
    fill_inside!(own, parent; dns: domain, namespace, selector, node_local, node_local_ip);
    fill_inside!(own, parent; masquerade: ipv4, ipv6, bpf);
    fill_inside!(own, parent; hubble: enabled, relay, ui);
    if let (Some(own), Some(parent)) = (&mut own.load_balancers, &parent.load_balancers) {
        // What belongs to one way of announcing is not inherited by another.
        let own_way = own.announce.as_ref().map(|announce| announce.value);
        if own_way != Some(Announce::L2) {
            fill!(own, parent; bgp);
        }
        if own_way != Some(Announce::Bgp) {
            fill_lists!(own, parent; interfaces);
        }
        fill!(own, parent; controller, announce, nodes);
        fill_lists!(own, parent; ranges);
    } else if own.load_balancers.is_none() {
        own.load_balancers.clone_from(&parent.load_balancers);
    }
    ipam(own, parent);
    clustermesh(own, parent);
    versions(&mut own.versions, parent.versions.as_ref());
}

/// A mask size belongs to its mode, so it is inherited only with it.
fn ipam(own: &mut ClusterSpec, parent: &ClusterSpec) {
    match (&mut own.ipam, &parent.ipam) {
        (Some(own), Some(parent)) if own.mode.is_none() => {
            own.mode.clone_from(&parent.mode);
            mask_size(&mut own.mask_size, parent.mask_size.as_ref());
            fill_lists!(own, parent; pools);
        }
        (own @ None, parent) => own.clone_from(parent),
        (Some(_), _) => {}
    }
}

fn mask_size(own: &mut Option<MaskSize>, parent: Option<&MaskSize>) {
    match (own, parent) {
        (Some(own), Some(parent)) => {
            fill!(own, parent; ipv4, ipv6);
        }
        (own @ None, parent) => *own = parent.cloned(),
        (Some(_), None) => {}
    }
}

fn clustermesh(own: &mut ClusterSpec, parent: &ClusterSpec) {
    match (&mut own.clustermesh, &parent.clustermesh) {
        (Some(own), Some(parent)) => {
            fill!(own, parent; endpoint, replicas);
            match (&mut own.service, &parent.service) {
                (Some(own), Some(parent)) => {
                    fill!(own, parent; kind, scheme, load_balancer_class, node_port);
                    fill_lists!(own, parent; annotations, source_ranges);
                }
                (own @ None, parent) => own.clone_from(parent),
                (Some(_), None) => {}
            }
        }
        (own @ None, parent) => own.clone_from(parent),
        (Some(_), None) => {}
    }
}

/// Lets versions inherit one by one.
pub(super) fn versions(own: &mut Option<Versions>, parent: Option<&Versions>) {
    match (own, parent) {
        (Some(own), Some(parent)) => {
            fill!(own, parent; kubernetes, cilium, cert_manager);
            own.components.fill(&parent.components);
        }
        (own @ None, parent) => *own = parent.cloned(),
        (Some(_), None) => {}
    }
}
