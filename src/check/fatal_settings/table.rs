//! Combinations of the data path, but for encryption.

use super::Combination;

/// Every such combination. Sources: the rule's page, and what each row says.
pub(super) static COMBINATIONS: &[Combination] = &[
    // Deprecated in 1.20, and gone after it.
    Combination {
        place: |site| {
            site.on("authentication.mutual.spire.enabled").filter(|_| site.cluster.in_mesh)
        },
        message: "mutual authentication does not work in a mesh",
        help: "remove it; `encryption` of the mesh encrypts between nodes",
        warning: false,
    },
    Combination {
        place: |site| {
            let masquerades =
                site.cluster.masquerade_bpf == Some(true) || site.on("bpf.masquerade").is_some();
            site.on("egressGateway.enabled").filter(|_| !(masquerades && site.replaced()))
        },
        message: "an egress gateway without masquerading in eBPF and kube-proxy replacement",
        help: "write `kubeProxy: replaced` and `masquerade: {bpf: true}` in the cluster",
        warning: false,
    },
    Combination {
        place: |site| {
            let gateway = site.on("egressGateway.enabled");
            site.on("ciliumEndpointSlice.enabled").filter(|_| gateway.is_some())
        },
        message: "an egress gateway and CiliumEndpointSlices do not go together",
        help: "remove one of them",
        warning: false,
    },
    Combination {
        place: |site| {
            let identities = site.text("identityAllocationMode");
            let gateway = site.on("egressGateway.enabled");
            gateway.filter(|_| !matches!(&*identities, "" | "crd"))
        },
        message: "an egress gateway needs identities in CRDs",
        help: "remove `identityAllocationMode`",
        warning: false,
    },
    // The chart checks `l7Proxy` only.
    Combination {
        place: |site| site.on("gatewayAPI.enabled").filter(|_| !site.replaced()),
        message: "the Gateway API without kube-proxy replacement",
        help: "write `kubeProxy: replaced` in the cluster",
        warning: false,
    },
    Combination {
        place: |site| {
            let masquerades = site.on("bpf.masquerade");
            masquerades.filter(|_| !site.replaced())
        },
        message: "masquerading in eBPF without kube-proxy replacement",
        help: "write `kubeProxy: replaced` in the cluster, or remove `bpf.masquerade`",
        warning: false,
    },
    Combination {
        place: |site| site.on("autoDirectNodeRoutes").filter(|_| !site.native()),
        message: "direct routes to pods in a tunnel",
        help: "remove it, or declare `routing: {mode: native, autoDirectNodeRoutes: true}`",
        warning: false,
    },
    Combination {
        place: |site| site.on("nativeRoutingCIDRFromClusterPool").filter(|_| site.cluster.in_mesh),
        message: "a native routing range of the local pool only, in a mesh",
        help: "declare `routing: {nativeRoutingCIDR: …}` in the mesh",
        warning: false,
    },
    // Source: cilium/cilium#31209, open.
    Combination {
        place: |site| {
            let wireguard = site.wireguard();
            let met = wireguard && site.replaced() && !site.native() && site.cluster.in_mesh;
            site.on("hostFirewall.enabled").filter(|_| met)
        },
        message: "a host firewall beside WireGuard in a tunnel may cut off the ClusterMesh API server",
        help: "try it with a host policy that admits port 2379 before it is relied on",
        warning: true,
    },
];
