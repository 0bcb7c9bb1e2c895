//! Rules over a resolved topology: one file each, one row each.

pub mod ambient_credentials;
pub mod ambiguous_primary;
pub mod apex_cname;
pub mod bgp_without_peers;
pub mod certificate_elsewhere;
pub mod certificate_limit;
pub mod cluster_id_out_of_range;
pub mod colliding_hostnames;
pub mod conflicting_exports;
pub mod contradicting_peer;
pub mod disconnected_clusters;
pub mod discouraged_export;
pub mod divided_trust;
pub mod duplicate_cluster_id;
pub mod dying_helm_value;
pub mod end_of_life;
pub mod endpoint_outside_pool;
pub mod eni_cluster_id;
pub mod even_control_plane;
pub mod exposed_mesh_api;
pub mod fatal_settings;
pub mod foreign_service_export;
pub mod gateway_beside_kube_proxy;
pub mod hazardous_range;
pub mod hindered_istio;
pub mod http01_solver;
pub mod idle_affinity;
pub mod ignored_service_annotation;
pub mod ignored_traffic_distribution;
pub mod incompatible_settings;
pub mod inert_service_export;
pub mod invalid_cluster_name;
pub mod invariant;
pub mod invisible_challenge;
pub mod known_bad_version;
pub mod l2_beside_kube_proxy;
pub mod latency_over_budget;
pub mod legacy_annotation;
pub mod local_namespace;
pub mod missing_namespace;
pub mod missing_standby;
pub mod no_traffic;
pub mod old_cert_manager;
pub mod one_sided_service;
pub mod overlapping_cidr;
pub mod overlapping_pool;
pub mod overlapping_workloads;
pub mod overridden_invariant;
pub mod oversized_packets;
pub mod oversized_trust_policy;
pub mod pending_load_balancer;
pub mod pool_too_small;
pub mod refused_range;
pub mod removed_helm_value;
pub mod repeated_routing_place;
pub mod repeated_service_cidr;
pub mod route_without_flow;
pub mod route_without_listener;
pub mod scattered_writes;
pub mod second_token;
pub mod shared_account_key;
pub mod shared_owner;
pub mod shared_record;
pub mod single_region_entrypoint;
pub mod slow_failover;
pub mod stretched_control_plane;
pub mod subnet_outside_network;
pub mod subnets_too_small;
pub mod unaccepted_flow;
pub mod unallocatable_pod_range;
pub mod unanswered_location;
pub mod unchecked_target;
pub mod uncovered_entrypoint;
pub mod uncovered_mesh_domain;
pub mod uncovered_name;
pub mod unenforced_authentication;
pub mod unequal_settings;
pub mod unexported_affinity;
pub mod unidentified_private_zone;
pub mod unknown_aws_region;
pub mod unknown_helm_value;
pub mod unoffered_interval;
pub mod unpublished_version;
pub mod unreachable_flow;
pub mod unreplaced_kube_proxy;
pub mod unroutable_zone;
pub mod unshared_service;
pub mod unsupported_combination;
pub mod unsynchronised_headless_service;
pub mod version_skew;
pub mod wrong_helm_value;

mod acme;
mod helm_values;
mod round_trip;
mod written;

use rayon::prelude::*;

use crate::diagnostic::{Diagnostics, Rule};
use crate::topology::Topology;

/// A rule with its code.
#[derive(Debug)]
pub struct Check {
    /// What it reports.
    pub rule: &'static Rule,
    /// Reports it.
    pub run: fn(&Topology, &mut Diagnostics),
}

/// The rules, in the order of their codes.
pub static CHECKS: &[Check] = &[
    Check { rule: &overlapping_cidr::OVERLAPPING_CIDR, run: overlapping_cidr::check },
    Check {
        rule: &disconnected_clusters::DISCONNECTED_CLUSTERS,
        run: disconnected_clusters::check,
    },
    Check { rule: &pool_too_small::POOL_TOO_SMALL, run: pool_too_small::check },
    Check { rule: &hazardous_range::HAZARDOUS_RANGE, run: hazardous_range::check },
    Check {
        rule: &subnet_outside_network::SUBNET_OUTSIDE_NETWORK,
        run: subnet_outside_network::check,
    },
    Check {
        rule: &repeated_service_cidr::REPEATED_SERVICE_CIDR,
        run: repeated_service_cidr::check,
    },
    Check { rule: &subnets_too_small::SUBNETS_TOO_SMALL, run: subnets_too_small::check },
    Check { rule: &refused_range::REFUSED_RANGE, run: refused_range::check },
    Check { rule: &duplicate_cluster_id::DUPLICATE_CLUSTER_ID, run: duplicate_cluster_id::check },
    Check {
        rule: &cluster_id_out_of_range::CLUSTER_ID_OUT_OF_RANGE,
        run: cluster_id_out_of_range::check,
    },
    Check { rule: &eni_cluster_id::ENI_CLUSTER_ID, run: eni_cluster_id::check },
    Check { rule: &invalid_cluster_name::INVALID_CLUSTER_NAME, run: invalid_cluster_name::check },
    Check {
        rule: &pending_load_balancer::PENDING_LOAD_BALANCER,
        run: pending_load_balancer::check,
    },
    Check {
        rule: &incompatible_settings::INCOMPATIBLE_SETTINGS,
        run: incompatible_settings::check,
    },
    Check { rule: &unreachable_flow::UNREACHABLE_FLOW, run: unreachable_flow::check },
    Check { rule: &unknown_helm_value::UNKNOWN_HELM_VALUE, run: unknown_helm_value::check },
    Check { rule: &removed_helm_value::REMOVED_HELM_VALUE, run: removed_helm_value::check },
    Check { rule: &wrong_helm_value::WRONG_HELM_VALUE, run: wrong_helm_value::check },
    Check { rule: &overridden_invariant::OVERRIDDEN_INVARIANT, run: overridden_invariant::check },
    Check { rule: &legacy_annotation::LEGACY_ANNOTATION, run: legacy_annotation::check },
    Check {
        rule: &foreign_service_export::FOREIGN_SERVICE_EXPORT,
        run: foreign_service_export::check,
    },
    Check {
        rule: &stretched_control_plane::STRETCHED_CONTROL_PLANE,
        run: stretched_control_plane::check,
    },
    Check { rule: &even_control_plane::EVEN_CONTROL_PLANE, run: even_control_plane::check },
    Check { rule: &latency_over_budget::LATENCY_OVER_BUDGET, run: latency_over_budget::check },
    Check { rule: &oversized_packets::OVERSIZED_PACKETS, run: oversized_packets::check },
    Check { rule: &divided_trust::DIVIDED_TRUST, run: divided_trust::check },
    Check { rule: &exposed_mesh_api::EXPOSED_MESH_API, run: exposed_mesh_api::check },
    Check { rule: &fatal_settings::FATAL_SETTINGS, run: fatal_settings::check },
    Check { rule: &unequal_settings::UNEQUAL_SETTINGS, run: unequal_settings::check },
    Check {
        rule: &uncovered_mesh_domain::UNCOVERED_MESH_DOMAIN,
        run: uncovered_mesh_domain::check,
    },
    Check {
        rule: &unenforced_authentication::UNENFORCED_AUTHENTICATION,
        run: unenforced_authentication::check,
    },
    Check { rule: &one_sided_service::ONE_SIDED_SERVICE, run: one_sided_service::check },
    Check { rule: &unshared_service::UNSHARED_SERVICE, run: unshared_service::check },
    Check { rule: &missing_namespace::MISSING_NAMESPACE, run: missing_namespace::check },
    Check { rule: &idle_affinity::IDLE_AFFINITY, run: idle_affinity::check },
    Check { rule: &unexported_affinity::UNEXPORTED_AFFINITY, run: unexported_affinity::check },
    Check {
        rule: &ignored_service_annotation::IGNORED_SERVICE_ANNOTATION,
        run: ignored_service_annotation::check,
    },
    Check {
        rule: &unsynchronised_headless_service::UNSYNCHRONISED_HEADLESS_SERVICE,
        run: unsynchronised_headless_service::check,
    },
    Check { rule: &colliding_hostnames::COLLIDING_HOSTNAMES, run: colliding_hostnames::check },
    Check {
        rule: &ignored_traffic_distribution::IGNORED_TRAFFIC_DISTRIBUTION,
        run: ignored_traffic_distribution::check,
    },
    Check {
        rule: &overlapping_workloads::OVERLAPPING_WORKLOADS,
        run: overlapping_workloads::check,
    },
    Check { rule: &scattered_writes::SCATTERED_WRITES, run: scattered_writes::check },
    Check { rule: &missing_standby::MISSING_STANDBY, run: missing_standby::check },
    Check { rule: &contradicting_peer::CONTRADICTING_PEER, run: contradicting_peer::check },
    Check { rule: &discouraged_export::DISCOURAGED_EXPORT, run: discouraged_export::check },
    Check { rule: &inert_service_export::INERT_SERVICE_EXPORT, run: inert_service_export::check },
    Check { rule: &conflicting_exports::CONFLICTING_EXPORTS, run: conflicting_exports::check },
    Check { rule: &local_namespace::LOCAL_NAMESPACE, run: local_namespace::check },
    Check {
        rule: &unreplaced_kube_proxy::UNREPLACED_KUBE_PROXY,
        run: unreplaced_kube_proxy::check,
    },
    Check { rule: &hindered_istio::HINDERED_ISTIO, run: hindered_istio::check },
    Check {
        rule: &unallocatable_pod_range::UNALLOCATABLE_POD_RANGE,
        run: unallocatable_pod_range::check,
    },
    Check {
        rule: &endpoint_outside_pool::ENDPOINT_OUTSIDE_POOL,
        run: endpoint_outside_pool::check,
    },
    Check { rule: &l2_beside_kube_proxy::L2_BESIDE_KUBE_PROXY, run: l2_beside_kube_proxy::check },
    Check { rule: &bgp_without_peers::BGP_WITHOUT_PEERS, run: bgp_without_peers::check },
    Check { rule: &overlapping_pool::OVERLAPPING_POOL, run: overlapping_pool::check },
    Check {
        rule: &gateway_beside_kube_proxy::GATEWAY_BESIDE_KUBE_PROXY,
        run: gateway_beside_kube_proxy::check,
    },
    Check { rule: &route_without_flow::ROUTE_WITHOUT_FLOW, run: route_without_flow::check },
    Check {
        rule: &route_without_listener::ROUTE_WITHOUT_LISTENER,
        run: route_without_listener::check,
    },
    Check {
        rule: &certificate_elsewhere::CERTIFICATE_ELSEWHERE,
        run: certificate_elsewhere::check,
    },
    Check { rule: &version_skew::VERSION_SKEW, run: version_skew::check },
    Check { rule: &known_bad_version::KNOWN_BAD_VERSION, run: known_bad_version::check },
    Check {
        rule: &unsupported_combination::UNSUPPORTED_COMBINATION,
        run: unsupported_combination::check,
    },
    Check { rule: &end_of_life::END_OF_LIFE, run: end_of_life::check },
    Check { rule: &dying_helm_value::DYING_HELM_VALUE, run: dying_helm_value::check },
    Check { rule: &unpublished_version::UNPUBLISHED_VERSION, run: unpublished_version::check },
    Check { rule: &unaccepted_flow::UNACCEPTED_FLOW, run: unaccepted_flow::check },
    Check { rule: &http01_solver::HTTP01_SOLVER, run: http01_solver::check },
    Check { rule: &uncovered_name::UNCOVERED_NAME, run: uncovered_name::check },
    Check {
        rule: &unidentified_private_zone::UNIDENTIFIED_PRIVATE_ZONE,
        run: unidentified_private_zone::check,
    },
    Check { rule: &invisible_challenge::INVISIBLE_CHALLENGE, run: invisible_challenge::check },
    Check { rule: &certificate_limit::CERTIFICATE_LIMIT, run: certificate_limit::check },
    Check { rule: &ambient_credentials::AMBIENT_CREDENTIALS, run: ambient_credentials::check },
    Check { rule: &old_cert_manager::OLD_CERT_MANAGER, run: old_cert_manager::check },
    Check { rule: &shared_account_key::SHARED_ACCOUNT_KEY, run: shared_account_key::check },
    Check {
        rule: &oversized_trust_policy::OVERSIZED_TRUST_POLICY,
        run: oversized_trust_policy::check,
    },
    Check { rule: &uncovered_entrypoint::UNCOVERED_ENTRYPOINT, run: uncovered_entrypoint::check },
    Check { rule: &slow_failover::SLOW_FAILOVER, run: slow_failover::check },
    Check { rule: &unoffered_interval::UNOFFERED_INTERVAL, run: unoffered_interval::check },
    Check { rule: &unchecked_target::UNCHECKED_TARGET, run: unchecked_target::check },
    Check {
        rule: &single_region_entrypoint::SINGLE_REGION_ENTRYPOINT,
        run: single_region_entrypoint::check,
    },
    Check { rule: &shared_record::SHARED_RECORD, run: shared_record::check },
    Check { rule: &unroutable_zone::UNROUTABLE_ZONE, run: unroutable_zone::check },
    Check { rule: &ambiguous_primary::AMBIGUOUS_PRIMARY, run: ambiguous_primary::check },
    Check { rule: &unanswered_location::UNANSWERED_LOCATION, run: unanswered_location::check },
    Check { rule: &no_traffic::NO_TRAFFIC, run: no_traffic::check },
    Check {
        rule: &repeated_routing_place::REPEATED_ROUTING_PLACE,
        run: repeated_routing_place::check,
    },
    Check { rule: &unknown_aws_region::UNKNOWN_AWS_REGION, run: unknown_aws_region::check },
    Check { rule: &apex_cname::APEX_CNAME, run: apex_cname::check },
    Check { rule: &shared_owner::SHARED_OWNER, run: shared_owner::check },
    Check { rule: &second_token::SECOND_TOKEN, run: second_token::check },
];

/// Runs every rule.
pub fn run(topology: &Topology, found: &mut Diagnostics) {
    let beside = found.beside();
    let results: Vec<_> = CHECKS
        .par_iter()
        .map(|check| {
            let mut found = beside.beside();
            (check.run)(topology, &mut found);
            found
        })
        .collect();
    for more in results {
        found.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_once_and_in_order() {
        let codes: Vec<_> = CHECKS.iter().map(|check| &check.rule.code).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted);
    }
}
