using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>What the API server adds to a document that leaves it out, and what it refuses.</summary>
internal static partial class ObjectRules
{
    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
    private static partial Regex Subdomain();

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex Label();

    [GeneratedRegex("^(?<number>[0-9]+(\\.[0-9]+)?)(?<unit>m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
    private static partial Regex QuantityPattern();

    /// <summary>A quantity such as <c>500m</c> or <c>2Gi</c> as a number; null when it is none.</summary>
    public static double? Quantity(string? text)
    {
        if (text is null || QuantityPattern().Match(text) is not { Success: true } match)
        {
            return null;
        }
        return double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture) * match.Groups["unit"].Value switch
        {
            "m" => 0.001, "k" => 1e3, "M" => 1e6, "G" => 1e9, "T" => 1e12, "Ki" => 1024, "Mi" => 1048576, "Gi" => 1073741824, "Ti" => 1099511627776, _ => 1,
        };
    }

    /// <summary>A number of pods given as a number or in percent of another.</summary>
    public static int Share(JsonNode? value, int of, bool up, int fallback)
    {
        var text = value?.ToString();
        if (text?.EndsWith('%') == true && double.TryParse(text[..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out var percent))
        {
            return (int)(up ? Math.Ceiling(of * percent / 100) : Math.Floor(of * percent / 100));
        }
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : fallback;
    }

    /// <summary>Takes away members that are null, as a document's types leave out what is empty; Go's clients send some.</summary>
    private static void DropNulls(JsonObject document)
    {
        foreach (var (name, value) in document.ToList())
        {
            switch (value)
            {
                case null:
                    document.Remove(name);
                    break;
                case JsonObject inner:
                    DropNulls(inner);
                    break;
                case JsonArray list:
                    foreach (var item in list.OfType<JsonObject>())
                    {
                        DropNulls(item);
                    }
                    break;
            }
        }
    }

    /// <summary>Fills in what was left out.</summary>
    public static void Complete(KubernetesKind kind, JsonObject document)
    {
        DropNulls(document);
        switch (kind.Kind)
        {
            case "Deployment" when document.Child("spec") is { } spec:
                spec["replicas"] ??= 1;
                spec["revisionHistoryLimit"] ??= 10;
                spec["progressDeadlineSeconds"] ??= 600;
                var strategy = spec.ChildOrNew("strategy");
                strategy["type"] ??= "RollingUpdate";
                if (strategy.Text("type") == "RollingUpdate")
                {
                    var rolling = strategy.ChildOrNew("rollingUpdate");
                    rolling["maxUnavailable"] ??= "25%";
                    rolling["maxSurge"] ??= "25%";
                }
                CompletePod(spec.Child("template")?.Child("spec"));
                break;
            case "ReplicaSet" when document.Child("spec") is { } spec:
                spec["replicas"] ??= 1;
                CompletePod(spec.Child("template")?.Child("spec"));
                break;
            case "Pod":
                CompletePod(document.Child("spec"));
                break;
            case "Service" when document.Child("spec") is { } spec:
                spec["type"] ??= "ClusterIP";
                spec["sessionAffinity"] ??= "None";
                spec["internalTrafficPolicy"] ??= "Cluster";
                foreach (var port in spec.Objects("ports"))
                {
                    port["protocol"] ??= "TCP";
                    port["targetPort"] ??= port["port"].Copy();
                }
                break;
            case "Namespace":
                document.ChildOrNew("status")["phase"] ??= "Active";
                document.Child("metadata")!.ChildOrNew("labels")["kubernetes.io/metadata.name"] = document.Child("metadata")!.Text("name");
                break;
            case "Secret" when document.Child("stringData") is { } plain:
                foreach (var (key, value) in plain)
                {
                    document.ChildOrNew("data")[key] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(value?.ToString() ?? ""));
                }
                document.Remove("stringData");
                break;
        }
        if (kind.Kind == "Secret")
        {
            document["type"] ??= "Opaque";
        }
    }

    /// <summary>Refuses a document that breaks a rule; <paramref name="before"/> is what it is to take the place of.</summary>
    public static void Check(KubernetesKind kind, JsonObject document, JsonObject? before)
    {
        var name = document.Child("metadata")?.Text("name") ?? "";
        if (name.Length is 0 or > 253 || !Subdomain().IsMatch(name))
        {
            throw KubernetesFault.Invalid(kind, name, "metadata.name", $"Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character");
        }
        var spec = document.Child("spec");
        switch (kind.Kind)
        {
            case "Deployment" or "ReplicaSet":
                CheckWorkload(kind, name, spec ?? throw KubernetesFault.Invalid(kind, name, "spec", "Required value"), before?.Child("spec"));
                break;
            case "Pod":
                CheckPod(kind, name, "spec", spec ?? throw KubernetesFault.Invalid(kind, name, "spec", "Required value"));
                break;
            case "Service":
                CheckService(kind, name, spec ?? throw KubernetesFault.Invalid(kind, name, "spec", "Required value"), before?.Child("spec"));
                break;
            case "HorizontalPodAutoscaler":
                var (minimum, maximum) = (spec?.Int("minReplicas") ?? 1, spec?.Int("maxReplicas") ?? 0);
                if (maximum < 1 || minimum < 1 || maximum < minimum)
                {
                    throw KubernetesFault.Invalid(kind, name, "spec.maxReplicas", $"Invalid value: {maximum}: must be greater than or equal to `minReplicas`");
                }
                break;
        }
    }

    private static void CheckWorkload(KubernetesKind kind, string name, JsonObject spec, JsonObject? before)
    {
        var labels = spec.Child("template")?.Child("metadata")?.Child("labels");
        if (spec.Child("selector") is not { Count: > 0 } selector)
        {
            throw KubernetesFault.Invalid(kind, name, "spec.selector", "Required value");
        }
        if (!Selectors.Matches(selector, labels))
        {
            throw KubernetesFault.Invalid(kind, name, "spec.template.metadata.labels", $"Invalid value: {labels?.ToJsonString() ?? "null"}: `selector` does not match template `labels`");
        }
        if (before is not null && !JsonNode.DeepEquals(before["selector"], selector))
        {
            throw KubernetesFault.Invalid(kind, name, "spec.selector", $"Invalid value: {selector.ToJsonString()}: field is immutable");
        }
        if (spec.Long("replicas") is null or < 0)
        {
            throw KubernetesFault.Invalid(kind, name, "spec.replicas", $"Invalid value: {spec["replicas"]}: must be greater than or equal to 0");
        }
        var strategy = spec.Child("strategy");
        if (strategy is not null && strategy.Text("type") is not ("RollingUpdate" or "Recreate"))
        {
            throw KubernetesFault.Invalid(kind, name, "spec.strategy.type", $"Unsupported value: \"{strategy.Text("type")}\": supported values: \"Recreate\", \"RollingUpdate\"");
        }
        if (strategy?.Text("type") == "Recreate" && strategy.Has("rollingUpdate"))
        {
            throw KubernetesFault.Invalid(kind, name, "spec.strategy.rollingUpdate", "Forbidden: may not be specified when strategy `type` is 'Recreate'");
        }
        if (strategy?.Child("rollingUpdate") is { } rolling && Share(rolling["maxSurge"], 100, up: true, 0) == 0 && Share(rolling["maxUnavailable"], 100, up: false, 0) == 0)
        {
            throw KubernetesFault.Invalid(kind, name, "spec.strategy.rollingUpdate.maxUnavailable", "Invalid value: 0: may not be 0 when `maxSurge` is 0");
        }
        CheckPod(kind, name, "spec.template.spec", spec.Child("template")?.Child("spec") ?? throw KubernetesFault.Invalid(kind, name, "spec.template.spec", "Required value"));
    }

    private static void CheckPod(KubernetesKind kind, string name, string at, JsonObject spec)
    {
        var containers = spec.Objects("containers").ToList();
        if (containers.Count == 0)
        {
            throw KubernetesFault.Invalid(kind, name, at + ".containers", "Required value");
        }
        for (var i = 0; i < containers.Count; i++)
        {
            var field = $"{at}.containers[{i}]";
            var own = containers[i].Text("name") ?? "";
            if (own.Length is 0 or > 63 || !Label().IsMatch(own))
            {
                throw KubernetesFault.Invalid(kind, name, field + ".name", own.Length == 0 ? "Required value" : $"Invalid value: \"{own}\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'");
            }
            if (containers.Take(i).Any(other => other.Text("name") == own))
            {
                throw KubernetesFault.Invalid(kind, name, field + ".name", $"Duplicate value: \"{own}\"");
            }
            if (string.IsNullOrWhiteSpace(containers[i].Text("image")))
            {
                throw KubernetesFault.Invalid(kind, name, field + ".image", "Required value");
            }
            foreach (var (part, quantities) in (containers[i].Child("resources") ?? []).Where(pair => pair.Key is "requests" or "limits"))
            {
                foreach (var (resource, value) in quantities as JsonObject ?? [])
                {
                    if (Quantity(value?.ToString()) is null)
                    {
                        throw KubernetesFault.BadRequest($"{kind.Kind} in version \"{kind.Version}\" cannot be handled as a {kind.Kind}: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' ({field}.resources.{part}.{resource})");
                    }
                }
            }
        }
    }

    private static void CheckService(KubernetesKind kind, string name, JsonObject spec, JsonObject? before)
    {
        if (!Label().IsMatch(name) || name.Length > 63 || char.IsAsciiDigit(name[0]))
        {
            throw KubernetesFault.Invalid(kind, name, "metadata.name", $"Invalid value: \"{name}\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character");
        }
        if (spec.Text("type") != "ExternalName" && spec.Text("clusterIP") != "None" && !spec.Objects("ports").Any())
        {
            throw KubernetesFault.Invalid(kind, name, "spec.ports", "Required value");
        }
        foreach (var port in spec.Objects("ports"))
        {
            if (port.Long("port") is not (>= 1 and <= 65535))
            {
                throw KubernetesFault.Invalid(kind, name, "spec.ports[0].port", $"Invalid value: {port["port"]}: must be between 1 and 65535, inclusive");
            }
        }
        if (before?.Text("clusterIP") is { } address && spec.Text("clusterIP") is { } wanted && wanted != address)
        {
            throw KubernetesFault.Invalid(kind, name, "spec.clusterIPs[0]", $"Invalid value: [\"{wanted}\"]: may not change once set");
        }
    }

    private static void CompletePod(JsonObject? spec)
    {
        if (spec is null)
        {
            return;
        }
        spec["restartPolicy"] ??= "Always";
        spec["dnsPolicy"] ??= "ClusterFirst";
        spec["schedulerName"] ??= "default-scheduler";
        spec["terminationGracePeriodSeconds"] ??= 30;
        spec.ChildOrNew("securityContext");
        if (spec.Text("serviceAccountName") is { } account)
        {
            spec["serviceAccount"] = account;
        }
        foreach (var container in spec.Objects("containers"))
        {
            var image = container.Text("image") ?? "";
            container["imagePullPolicy"] ??= image.EndsWith(":latest", StringComparison.Ordinal) || !image.Split('/')[^1].Contains(':', StringComparison.Ordinal) ? "Always" : "IfNotPresent";
            container["terminationMessagePath"] ??= "/dev/termination-log";
            container["terminationMessagePolicy"] ??= "File";
            container.ChildOrNew("resources");
            foreach (var port in container.Objects("ports"))
            {
                port["protocol"] ??= "TCP";
            }
            foreach (var probe in new[] { "livenessProbe", "readinessProbe", "startupProbe" }.Select(container.Child).OfType<JsonObject>())
            {
                probe["timeoutSeconds"] ??= 1;
                probe["periodSeconds"] ??= 10;
                probe["successThreshold"] ??= 1;
                probe["failureThreshold"] ??= 3;
            }
        }
    }
}
