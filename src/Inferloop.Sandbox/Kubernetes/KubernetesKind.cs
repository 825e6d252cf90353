namespace Inferloop.Sandbox.Kubernetes;

/// <summary>A kind of object that the clusters keep, and how the API names it.</summary>
/// <param name="Group">The API group; empty for the core.</param>
/// <param name="Version">The version of the group.</param>
/// <param name="Name">The name in paths, such as <c>deployments</c>.</param>
/// <param name="Kind">The kind in documents, such as <c>Deployment</c>.</param>
/// <param name="IsNamespaced">Whether it lives in a namespace.</param>
/// <param name="ShortNames">What kubectl takes for it too.</param>
internal sealed record KubernetesKind(string Group, string Version, string Name, string Kind, bool IsNamespaced, params string[] ShortNames)
{
    /// <summary>The kinds: what the platform's manifests have, what releases need, and what kubectl asks for beside them.</summary>
    public static IReadOnlyList<KubernetesKind> All { get; } =
    [
        new("", "v1", "namespaces", "Namespace", false, "ns"),
        new("", "v1", "nodes", "Node", false, "no"),
        new("", "v1", "pods", "Pod", true, "po"),
        new("", "v1", "services", "Service", true, "svc"),
        new("", "v1", "configmaps", "ConfigMap", true, "cm"),
        new("", "v1", "secrets", "Secret", true),
        new("", "v1", "serviceaccounts", "ServiceAccount", true, "sa"),
        new("", "v1", "events", "Event", true, "ev"),
        new("apps", "v1", "deployments", "Deployment", true, "deploy"),
        new("apps", "v1", "replicasets", "ReplicaSet", true, "rs"),
        new("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", true, "hpa"),
        new("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true, "pdb"),
        new("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", true),
        new("coordination.k8s.io", "v1", "leases", "Lease", true),
        new("networking.k8s.io", "v1", "ingresses", "Ingress", true, "ing"),
        new("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", true, "netpol"),
        new("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false),
        new("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", false),
        new("rbac.authorization.k8s.io", "v1", "roles", "Role", true),
        new("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", true),
        new("storage.k8s.io", "v1", "storageclasses", "StorageClass", false, "sc"),
        new("secrets-store.csi.x-k8s.io", "v1", "secretproviderclasses", "SecretProviderClass", true),
    ];

    public static KubernetesKind Pods { get; } = Named("pods");

    public static KubernetesKind Nodes { get; } = Named("nodes");

    public static KubernetesKind Deployments { get; } = Named("deployments");

    public static KubernetesKind ReplicaSets { get; } = Named("replicasets");

    public static KubernetesKind Services { get; } = Named("services");

    public static KubernetesKind Namespaces { get; } = Named("namespaces");

    public static KubernetesKind Events { get; } = Named("events");

    public static KubernetesKind Secrets { get; } = Named("secrets");

    public static KubernetesKind ConfigMaps { get; } = Named("configmaps");

    public static KubernetesKind ServiceAccounts { get; } = Named("serviceaccounts");

    public static KubernetesKind EndpointSlices { get; } = Named("endpointslices");

    public static KubernetesKind Autoscalers { get; } = Named("horizontalpodautoscalers");

    public static KubernetesKind SecretProviderClasses { get; } = Named("secretproviderclasses");

    /// <summary>Group and version as documents name them.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Whether the specification counts its changes.</summary>
    public bool HasGeneration => Kind is "Deployment" or "ReplicaSet" or "HorizontalPodAutoscaler" or "PodDisruptionBudget" or "Ingress" or "NetworkPolicy";

    /// <summary>Whether status is written apart from the rest.</summary>
    public bool HasStatus => HasGeneration || Kind is "Pod" or "Namespace" or "Node" or "Service";

    /// <summary>Whether it has a number of replicas that can be set alone.</summary>
    public bool HasScale => Kind is "Deployment" or "ReplicaSet";

    private static KubernetesKind Named(string name) => All.First(kind => kind.Name == name);
}
