using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.CloudFormation;

internal sealed partial class CloudFormationService
{
    private static readonly HashSet<string> DriftDetectable = new(StringComparer.Ordinal)
    {
        "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
    };

    private void RegisterDrift()
    {
        On("DetectStackDrift", DetectStackDrift);
        On("DetectStackResourceDrift", DetectStackResourceDriftAsync);
        On("DescribeStackDriftDetectionStatus", DescribeStackDriftDetectionStatus);
        On("DescribeStackResourceDrifts", DescribeStackResourceDrifts);
    }

    private JsonObject DetectStackDrift(RequestContext context, JsonObject input)
    {
        var stack = Find(context, Text(input, "StackName"));
        CheckDetectable(stack);
        var only = Strings(input["LogicalResourceIds"]).ToHashSet(StringComparer.Ordinal);
        var detections = Collection(context, "drift-detections");
        if (detections.Any(detection => (string?)detection["StackId"] == stack.Id && (string?)detection["DetectionStatus"] == "DETECTION_IN_PROGRESS"))
        {
            throw Invalid($"Drift detection is already in progress for stack [{stack.Id}]");
        }
        var id = Runtime.Ids.Uuid();
        detections.Put(id, new JsonObject
        {
            ["StackId"] = stack.Id,
            ["StackDriftDetectionId"] = id,
            ["DetectionStatus"] = "DETECTION_IN_PROGRESS",
            ["Timestamp"] = Scalars.Timestamp(context.Now),
        });
        var inner = context.Detached();
        Runtime.Run(async _ =>
        {
            List<ResourceRecord> records;
            lock (stack.Gate)
            {
                records = stack.Resources.Values.Where(record => only.Count == 0 || only.Contains(record.LogicalId)).ToList();
            }
            await Runtime.Clock.DelayAsync(TimeSpan.FromSeconds(5), inner.Cancellation).ConfigureAwait(false);
            var failures = await Task.WhenAll(records.Select(record => TryDetectAsync(inner, stack, record))).ConfigureAwait(false);
            var failure = failures.Any(reason => reason is not null) ? string.Join(" ", failures.Where(reason => reason is not null)) : null;
            Complete(stack, detections, id, failure);
        });
        return new JsonObject { ["StackDriftDetectionId"] = id };
    }

    /// <summary>
    /// Why one resource could not be looked at, or null. The others are looked at all the same, and a detection always comes to its end:
    /// one that stayed in progress would refuse every later one of the stack.
    /// </summary>
    private async Task<string?> TryDetectAsync(RequestContext context, StackRecord stack, ResourceRecord record)
    {
        string message;
        try
        {
            await DetectAsync(context, stack, record).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException) when (context.Cancellation.IsCancellationRequested)
        {
            throw;
        }
        catch (ServiceFault fault)
        {
            message = fault.Message;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Runtime.Report(e);
            message = e.Message;
        }
        lock (stack.Gate)
        {
            // What an earlier detection found is not known to be so any more.
            record.Drift = null;
            record.DriftChecked = null;
        }
        return $"Failed to detect drift on resource [{record.LogicalId}]: {message}";
    }

    private static void CheckDetectable(StackRecord stack)
    {
        if (!DriftDetectable.Contains(stack.Status))
        {
            throw Invalid($"Drift detection cannot be performed on stack [{stack.Id}] while in {stack.Status} state.");
        }
    }

    private void Complete(StackRecord stack, Collection detections, string id, string? failure)
    {
        int drifted;
        lock (stack.Gate)
        {
            drifted = stack.Resources.Values.Count(record => (string?)record.Drift?["StackResourceDriftStatus"] is "MODIFIED" or "DELETED");
            stack.DriftChecked = Runtime.Clock.Now;
            stack.DriftStatus = failure is not null ? "UNKNOWN" : drifted > 0 ? "DRIFTED" : "IN_SYNC";
        }
        detections.Update(id, detection =>
        {
            detection["DetectionStatus"] = failure is null ? "DETECTION_COMPLETE" : "DETECTION_FAILED";
            detection["DetectionStatusReason"] = failure;
            detection["StackDriftStatus"] = stack.DriftStatus;
            detection["DriftedStackResourceCount"] = drifted;
            detection["Timestamp"] = Scalars.Timestamp(Runtime.Clock.Now);
        });
    }

    private async Task<JsonObject> DetectStackResourceDriftAsync(RequestContext context, JsonObject input)
    {
        var stack = Find(context, Text(input, "StackName"));
        CheckDetectable(stack);
        var logicalId = Text(input, "LogicalResourceId");
        ResourceRecord record;
        lock (stack.Gate)
        {
            record = stack.Resources.GetValueOrDefault(logicalId) ?? throw Invalid($"Resource {logicalId} does not exist for stack {stack.Name}");
        }
        var drift = await DetectAsync(context.WithCancellation(context.Cancellation), stack, record).ConfigureAwait(false)
            ?? throw Invalid($"Drift detection is not supported on resource type {record.Type}");
        return new JsonObject { ["StackResourceDrift"] = drift.DeepClone() };
    }

    /// <summary>Compares what the template says with what is there. Properties the template does not set are not compared.</summary>
    private async Task<JsonObject?> DetectAsync(RequestContext context, StackRecord stack, ResourceRecord record)
    {
        if (record.IsNestedStack || record.PhysicalId is null || Runtime.Provider(record.Type) is not { } provider)
        {
            return null;
        }
        var actual = await provider.ReadAsync(
            new ProvisionContext
            {
                Request = context,
                StackName = stack.Name,
                StackId = stack.Id,
                LogicalId = record.LogicalId,
                ClientToken = Runtime.Ids.Uuid(),
                StackTags = record.StackTags,
            },
            record.PhysicalId).ConfigureAwait(false);
        var expected = record.Properties.ToJsonObject();
        if (actual is not null)
        {
            LeaveOutOthers(context, record, expected, actual);
        }
        var differences = new JsonArray();
        var now = Runtime.Clock.Now;
        var compared = new JsonObject();
        if (actual is not null)
        {
            foreach (var (name, value) in expected)
            {
                if (!actual.TryGetPropertyValue(name, out var found) && !provider.ReportsAbsent(name))
                {
                    // A property that cannot be read back (a password) is not known to differ.
                    continue;
                }
                compared[name] = found?.DeepClone();
                DriftComparison.Compare("/" + name, value, found, differences);
            }
        }
        var drift = new JsonObject
        {
            ["StackId"] = stack.Id,
            ["LogicalResourceId"] = record.LogicalId,
            ["PhysicalResourceId"] = record.PhysicalId,
            ["ResourceType"] = record.Type,
            ["ExpectedProperties"] = ValueRendering.Text(expected),
            ["ActualProperties"] = actual is null ? null : ValueRendering.Text(compared),
            ["PropertyDifferences"] = differences,
            ["StackResourceDriftStatus"] = actual is null ? "DELETED" : differences.Count > 0 ? "MODIFIED" : "IN_SYNC",
            ["Timestamp"] = Scalars.Timestamp(now),
        };
        lock (stack.Gate)
        {
            record.Drift = drift;
            record.DriftChecked = now;
        }
        return drift;
    }

    /// <summary>What of a stack and its nested ones is not as it was deployed, by path.</summary>
    private async Task<Dictionary<string, LiveState>> LiveStatesAsync(RequestContext context, StackRecord stack, string prefix = "")
    {
        List<ResourceRecord> records;
        lock (stack.Gate)
        {
            records = [.. stack.Resources.Values];
        }
        var found = new Dictionary<string, LiveState>(StringComparer.Ordinal);
        foreach (var record in records)
        {
            if (record.IsNestedStack)
            {
                if (ExistingChild(stack, record.LogicalId) is { } child)
                {
                    foreach (var (path, state) in await LiveStatesAsync(context, child, prefix + record.LogicalId + "/").ConfigureAwait(false))
                    {
                        found[path] = state;
                    }
                }
            }
            else if (await DetectAsync(context, stack, record).ConfigureAwait(false) is { } drift && (string?)drift["StackResourceDriftStatus"] is "MODIFIED" or "DELETED")
            {
                found[prefix + record.LogicalId] = LiveState.Of(record, drift);
            }
        }
        return found;
    }

    /// <summary>Lets the records of a stack say what is there, so that an update changes that, and a rollback comes back to it.</summary>
    private void Adopt(StackRecord stack, IReadOnlyDictionary<string, LiveState> live)
    {
        foreach (var (path, state) in live)
        {
            var steps = path.Split('/');
            var owner = stack;
            foreach (var step in steps[..^1])
            {
                owner = owner is null ? null : ExistingChild(owner, step);
            }
            if (owner is null)
            {
                continue;
            }
            lock (owner.Gate)
            {
                if (!owner.Resources.TryGetValue(steps[^1], out var record))
                {
                    continue;
                }
                record.Drift = null;
                record.DriftChecked = null;
                if (state.Properties is null)
                {
                    owner.Resources.Remove(steps[^1]);
                }
                else
                {
                    record.Properties = state.Properties;
                }
            }
        }
    }

    /// <summary>What is on the resource by the stack's own doing is no drift: its tags, and policies that other resources of stacks put on a role.</summary>
    private void LeaveOutOthers(RequestContext context, ResourceRecord record, JsonObject expected, JsonObject actual)
    {
        var tags = Inferloop.Templates.ResourceSpecification.Default.Find(record.Type)?.TagsProperty ?? "Tags";
        if (actual[tags] is JsonArray list && expected[tags] is JsonArray wanted)
        {
            var own = wanted.Select(tag => Scalars.Text(tag?["Key"])).ToHashSet();
            Remove(list, tag => Scalars.Text(tag["Key"]) is { } key && !own.Contains(key) && (key.StartsWith("aws:", StringComparison.Ordinal) || record.StackTags.ContainsKey(key)));
        }
        if (record.Type == "AWS::IAM::Role" && actual["Policies"] is JsonArray policies)
        {
            var own = (expected["Policies"] as JsonArray ?? []).Select(policy => Scalars.Text(policy?["PolicyName"])).ToHashSet();
            var attached = engine.Store(context).All.Where(stack => !stack.IsDeleted)
                .SelectMany(stack => stack.Resources.Values.ToArray())
                .Where(other => other.Type is "AWS::IAM::RolePolicy" or "AWS::IAM::Policy")
                .Select(other => other.Properties["PolicyName"]?.AsString()).ToHashSet();
            Remove(policies, policy => Scalars.Text(policy["PolicyName"]) is { } name && !own.Contains(name) && attached.Contains(name));
        }
    }

    private static void Remove(JsonArray list, Func<JsonObject, bool> condition)
    {
        foreach (var item in list.OfType<JsonObject>().Where(condition).ToList())
        {
            list.Remove(item);
        }
    }

    private JsonObject DescribeStackDriftDetectionStatus(RequestContext context, JsonObject input)
    {
        var id = Text(input, "StackDriftDetectionId");
        return Collection(context, "drift-detections").Get(id) ?? throw Invalid($"Drift detection [{id}] does not exist");
    }

    private JsonObject DescribeStackResourceDrifts(RequestContext context, JsonObject input)
    {
        var stack = Find(context, Text(input, "StackName"));
        var filter = Strings(input["StackResourceDriftStatusFilters"]).ToHashSet(StringComparer.Ordinal);
        List<JsonObject> drifts;
        lock (stack.Gate)
        {
            drifts = stack.Resources.Values.OrderBy(record => record.LogicalId, StringComparer.Ordinal)
                .Select(record => record.Drift).OfType<JsonObject>()
                .Where(drift => filter.Count == 0 || filter.Contains((string)drift["StackResourceDriftStatus"]!))
                .Select(drift => (JsonObject)drift.DeepClone()).ToList();
        }
        var size = Scalars.TryInteger(input["MaxResults"], out var maximum) ? (int)Math.Clamp(maximum, 1, PageSize) : PageSize;
        var (items, next) = Page(drifts, Optional(input, "NextToken"), size);
        return new JsonObject { ["StackResourceDrifts"] = Array(items), ["NextToken"] = next };
    }
}

/// <summary>Differences between expected and actual properties, path by path.</summary>
internal static class DriftComparison
{
    public static void Compare(string path, JsonNode? expected, JsonNode? actual, JsonArray differences)
    {
        switch (expected, actual)
        {
            case (JsonObject wanted, JsonObject found):
                foreach (var (name, value) in wanted)
                {
                    if (found.TryGetPropertyValue(name, out var inner))
                    {
                        Compare($"{path}/{name}", value, inner, differences);
                    }
                    else
                    {
                        Add(differences, $"{path}/{name}", value, null, "REMOVE");
                    }
                }
                break;
            case (JsonArray wanted, JsonArray found):
                CompareLists(path, wanted, found, differences);
                break;
            case (null, null):
                break;
            case (_, null):
                Add(differences, path, expected, null, "REMOVE");
                break;
            default:
                if (Scalars.Text(expected) is not { } left || Scalars.Text(actual) is not { } right || !SameScalar(left, right))
                {
                    Add(differences, path, expected, actual, "NOT_EQUAL");
                }
                break;
        }
    }

    /// <summary>Lists are compared as sets where order carries no meaning to the service, which it rarely does: tags, rules, ids.</summary>
    private static void CompareLists(string path, JsonArray expected, JsonArray actual, JsonArray differences)
    {
        var left = actual.ToList();
        var unmatched = new List<(int Index, JsonNode? Item)>();
        for (var i = 0; i < expected.Count; i++)
        {
            var match = left.FindIndex(candidate => Covers(expected[i], candidate));
            if (match >= 0)
            {
                left.RemoveAt(match);
            }
            else
            {
                unmatched.Add((i, expected[i]));
            }
        }
        foreach (var (index, item) in unmatched)
        {
            var partner = left.FindIndex(candidate => candidate is JsonObject && item is JsonObject && Identity(candidate) is { } id && id == Identity(item));
            if (partner >= 0)
            {
                Compare($"{path}/{index}", item, left[partner], differences);
                left.RemoveAt(partner);
            }
            else
            {
                Add(differences, $"{path}/{index}", item, null, "REMOVE");
            }
        }
        if (path.EndsWith("Attributes", StringComparison.Ordinal))
        {
            // Lists of settings name what they set; the others have their defaults.
            return;
        }
        foreach (var extra in left.Where(extra => Identity(extra)?.StartsWith("aws:", StringComparison.Ordinal) != true))
        {
            Add(differences, $"{path}/{actual.IndexOf(extra)}", null, extra, "ADD");
        }
    }

    private static bool Covers(JsonNode? expected, JsonNode? actual)
    {
        var found = new JsonArray();
        Compare("", expected, actual, found);
        return found.Count == 0;
    }

    private static string? Identity(JsonNode? node) => node is JsonObject map
        ? new[] { "Key", "Id", "ID", "Name", "Sid" }.Select(name => Scalars.Text(map[name])).FirstOrDefault(text => text is not null)
        : null;

    private static bool SameScalar(string left, string right) =>
        left == right
        || NamesSame(left, right) || NamesSame(right, left)
        || (decimal.TryParse(left, System.Globalization.CultureInfo.InvariantCulture, out var a) && decimal.TryParse(right, System.Globalization.CultureInfo.InvariantCulture, out var b) && a == b)
        || (bool.TryParse(left, out var x) && bool.TryParse(right, out var y) && x == y);

    /// <summary>A name and the ARN that ends with it mean one resource.</summary>
    private static bool NamesSame(string arn, string name) =>
        arn.StartsWith("arn:", StringComparison.Ordinal) && name.Length > 0
        && (arn.EndsWith("/" + name, StringComparison.Ordinal) || arn.EndsWith(":" + name, StringComparison.Ordinal));

    private static void Add(JsonArray differences, string path, JsonNode? expected, JsonNode? actual, string type) => differences.Add(new JsonObject
    {
        ["PropertyPath"] = path,
        ["ExpectedValue"] = Text(expected),
        ["ActualValue"] = Text(actual),
        ["DifferenceType"] = type,
    });

    private static string Text(JsonNode? node) => Scalars.Text(node) ?? ValueRendering.Text(node);
}
