using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>A stack as it is beside what it would be.</summary>
internal sealed record StackComparison(EvaluatedStack? Before, EvaluatedStack After, StackDifference Difference, bool TagsChanged, bool OutputsChanged)
{
    private ApparentChanges? apparent;

    /// <summary>By path, what is not as it was deployed, where the change set starts from what is there.</summary>
    public IReadOnlyDictionary<string, LiveState> Live { get; init; } = new Dictionary<string, LiveState>();

    /// <summary>Whether the change set starts from what is there (drift-aware).</summary>
    public bool RevertsDrift { get; init; }

    public bool HasChanges => !Difference.IsEmpty || TagsChanged || OutputsChanged || Live.Count > 0;

    /// <summary>What is listed beside what changes.</summary>
    public ApparentChanges Apparent => apparent ??= ApparentChanges.Of(this);

    /// <summary>Whether a parameter of the stack at a path has another value than before.</summary>
    public bool ParameterChanged(string path, string name) =>
        ChangeSetBuilder.StackAt(Before, path)?.Parameters.GetValueOrDefault(name) is { } was
        && ChangeSetBuilder.StackAt(After, path)?.Parameters.GetValueOrDefault(name) is { } now && !Value.Same(was.Value, now.Value);
}

/// <summary>Finds what a new definition changes in a stack, and says it in the form of change sets.</summary>
internal sealed class ChangeSetBuilder(StackEngine engine, RequestContext context)
{
    public async Task<StackComparison> CompareAsync(StackRecord? stack, StackDefinition definition, string? name = null, IReadOnlyDictionary<string, LiveState>? live = null)
    {
        EvaluatedStack? before = null;
        var current = stack?.Definition;
        try
        {
            if (stack is not null && current is not null)
            {
                before = await engine.EvaluateAsync(context, stack, stack.Name, current, new S3TemplateSource(engine.Runtime, context, ChildTemplates(stack))).ConfigureAwait(false);
            }
        }
        catch (TemplateException e)
        {
            throw TemplateFaults.For(e, current?.Template);
        }
        EvaluatedStack after;
        try
        {
            after = await engine.EvaluateAsync(context, stack, stack?.Name ?? name!, definition, new S3TemplateSource(engine.Runtime, context)).ConfigureAwait(false);
        }
        catch (TemplateException e)
        {
            throw TemplateFaults.For(e, definition.Template);
        }
        var tags = current is not null && !SameTags(current.Tags, definition.Tags) && after.AllResources().Any(IsTaggable);
        var difference = StackComparer.Compare(before, after, (live ?? new Dictionary<string, LiveState>()).ToDictionary(pair => pair.Key, pair => pair.Value.Properties));
        return new StackComparison(before, after, difference, tags, before is not null && StackComparer.OutputsDiffer(before, after))
        {
            Live = live ?? new Dictionary<string, LiveState>(),
            RevertsDrift = live is not null,
        };
    }

    private static bool SameTags(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after) =>
        before.Count == after.Count && before.All(tag => after.TryGetValue(tag.Key, out var value) && value == tag.Value);

    private static bool IsTaggable(EvaluatedResource resource) => ResourceSpecification.Default.Find(resource.Type)?.IsTaggable == true;

    /// <summary>The templates nested stacks were made from, by the address they came from: the objects there may have changed since.</summary>
    private Dictionary<string, Template> ChildTemplates(StackRecord stack)
    {
        var templates = new Dictionary<string, Template>(StringComparer.Ordinal);
        Collect(stack);
        return templates;

        void Collect(StackRecord parent)
        {
            List<ResourceRecord> nested;
            lock (parent.Gate)
            {
                nested = parent.Resources.Values.Where(record => record.IsNestedStack && record.PhysicalId is not null).ToList();
            }
            foreach (var record in nested)
            {
                if (engine.Store(parent).Find(record.PhysicalId!) is { Definition: { } definition } child && record.Properties["TemplateURL"]?.AsString() is { } url)
                {
                    templates[url] = definition.Template;
                    Collect(child);
                }
            }
        }
    }

    /// <summary>The changes of one stack (the root: an empty path; nested ones: <c>Network/</c>) as the API shows them.</summary>
    public static List<JsonObject> Changes(
        StackComparison comparison, string path, StackRecord? stack, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> imports, IReadOnlyDictionary<string, string> nestedChangeSets)
    {
        var changes = new List<JsonObject>();
        var listed = new HashSet<string>(StringComparer.Ordinal);
        var replaced = comparison.Difference.Changes.Where(change => change.Replacement == Replacement.Always).Select(change => change.Path).ToHashSet(StringComparer.Ordinal);
        foreach (var change in comparison.Difference.Changes.Where(change => ParentOf(change.Path) == path))
        {
            listed.Add(change.LogicalId);
            changes.Add(Change(change, stack, imports.ContainsKey(change.LogicalId) && path.Length == 0, nestedChangeSets.GetValueOrDefault(change.LogicalId), comparison, replaced));
        }
        if (comparison.TagsChanged && StackAt(comparison.After, path) is { } after && StackAt(comparison.Before, path) is { } before)
        {
            // Tags of the stack reach every resource that takes tags.
            foreach (var resource in after.Resources.Where(resource => !listed.Contains(resource.LogicalId) && IsTaggable(resource) && before.FindResource(resource.LogicalId) is not null))
            {
                listed.Add(resource.LogicalId);
                changes.Add(Retagged(resource, stack, nestedChangeSets.GetValueOrDefault(resource.LogicalId)));
            }
        }
        foreach (var resource in StackAt(comparison.After, path)?.Resources.Where(resource => !listed.Contains(resource.LogicalId) && comparison.Live.ContainsKey(resource.Path)) ?? [])
        {
            // The template has come to say what somebody did by hand: only CloudFormation's own record changes.
            listed.Add(resource.LogicalId);
            var nothing = new ResourceChange(ChangeAction.Modify, resource.LogicalId, resource.Path, resource.Type, Replacement.Never, [], resource, resource);
            var change = Change(nothing, stack, false, null, comparison, replaced);
            change["ResourceChange"]!["Action"] = "SyncWithActual";
            change["ResourceChange"]!["Details"] = new JsonArray();
            changes.Add(change);
        }
        foreach (var resource in StackAt(comparison.After, path)?.Resources.Where(resource => !listed.Contains(resource.LogicalId) && comparison.Apparent.Lists(resource)) ?? [])
        {
            var was = StackAt(comparison.Before, path)!.FindResource(resource.LogicalId)!;
            var nothing = new ResourceChange(ChangeAction.Modify, resource.LogicalId, resource.Path, resource.Type, Replacement.Never, [], was, resource);
            changes.Add(Change(nothing, stack, false, nestedChangeSets.GetValueOrDefault(resource.LogicalId), comparison, replaced));
        }
        return changes;
    }

    public static string ParentOf(string path) => path[..(path.LastIndexOf('/') + 1)];

    public static EvaluatedStack? StackAt(EvaluatedStack? root, string path)
    {
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            root = root?.NestedStacks.GetValueOrDefault(part);
        }
        return root;
    }

    private static JsonObject Change(ResourceChange change, StackRecord? stack, bool import, string? nestedChangeSet, StackComparison comparison, IReadOnlySet<string> replaced)
    {
        ResourceRecord? record = null;
        if (stack is not null)
        {
            lock (stack.Gate)
            {
                record = stack.Resources.GetValueOrDefault(change.LogicalId);
            }
        }
        var json = new JsonObject
        {
            ["PolicyAction"] = change.PolicyAction,
            ["Action"] = import ? "Import" : change.Action.ToString(),
            ["LogicalResourceId"] = change.LogicalId,
            ["PhysicalResourceId"] = change.Action == ChangeAction.Add ? null : record?.PhysicalId,
            ["ResourceType"] = change.Type,
        };
        var details = new JsonArray();
        var scope = new SortedSet<string>(StringComparer.Ordinal);
        if (change.Action == ChangeAction.Modify)
        {
            Details(change, comparison, details, scope);
            json["Replacement"] = WithApparent(change, comparison.Apparent[change.Path], details, scope) switch
            {
                Replacement.Always => "True",
                Replacement.Conditional => "Conditional",
                _ => "False",
            };
            if (json["Replacement"]!.ToString() != "False" && change.PolicyAction is null)
            {
                json["PolicyAction"] = "ReplaceAnd" + change.After!.UpdateReplacePolicy;
            }
            if (comparison.TagsChanged && ResourceSpecification.Default.Find(change.Type)?.IsTaggable == true)
            {
                details.Add(TagsDetail());
                scope.Add("Tags");
            }
            if (details.Count == 0)
            {
                // A nested stack that changes inside only.
                scope.Add("Properties");
                details.Add(new JsonObject
                {
                    ["Target"] = new JsonObject { ["Attribute"] = "Properties", ["RequiresRecreation"] = "Never" },
                    ["Evaluation"] = "Dynamic",
                    ["ChangeSource"] = "Automatic",
                });
            }
        }
        json["Scope"] = new JsonArray(scope.Select(item => (JsonNode?)item).ToArray());
        json["Details"] = details;
        json["ChangeSetId"] = nestedChangeSet;
        json["BeforeContext"] = Context(change.Before);
        json["AfterContext"] = Context(change.After, replaced);
        if (comparison.RevertsDrift)
        {
            LiveState.Tell(json, comparison.Live.GetValueOrDefault(change.Path));
        }
        return new JsonObject { ["Type"] = "Resource", ["ResourceChange"] = json };
    }

    /// <summary>Adds what only seems to change, and gives the replacement that results.</summary>
    private static Replacement WithApparent(ResourceChange change, IReadOnlyList<ApparentProperty> apparent, JsonArray details, SortedSet<string> scope)
    {
        var replacement = change.Replacement;
        foreach (var property in apparent.Where(property => !change.Properties.Any(own => PropertyComparison.TopLevel(own.Path) == property.Name)))
        {
            scope.Add("Properties");
            details.Add(property.ToDetail());
            // A parameter without a value yet is another value to CloudFormation; an attribute may turn out the same.
            var effect = property.RequiresRecreation == Replacement.Always && property.Source != "ParameterReference" ? Replacement.Conditional : property.RequiresRecreation;
            replacement = effect > replacement ? effect : replacement;
        }
        return replacement;
    }

    private static JsonObject Retagged(EvaluatedResource resource, StackRecord? stack, string? nestedChangeSet)
    {
        string? physicalId = null;
        if (stack is not null)
        {
            lock (stack.Gate)
            {
                physicalId = stack.Resources.GetValueOrDefault(resource.LogicalId)?.PhysicalId;
            }
        }
        return new JsonObject
        {
            ["Type"] = "Resource",
            ["ResourceChange"] = new JsonObject
            {
                ["Action"] = "Modify",
                ["LogicalResourceId"] = resource.LogicalId,
                ["PhysicalResourceId"] = physicalId,
                ["ResourceType"] = resource.Type,
                ["Replacement"] = "False",
                ["Scope"] = new JsonArray("Tags"),
                ["Details"] = new JsonArray(TagsDetail()),
                ["ChangeSetId"] = nestedChangeSet,
                ["BeforeContext"] = Context(resource),
                ["AfterContext"] = Context(resource),
            },
        };
    }

    private static JsonObject TagsDetail() => new()
    {
        ["Target"] = new JsonObject { ["Attribute"] = "Tags", ["RequiresRecreation"] = "Never" },
        ["Evaluation"] = "Static",
        ["ChangeSource"] = "DirectModification",
    };

    private static string? Context(EvaluatedResource? resource, IReadOnlySet<string>? replaced = null)
    {
        if (resource is null)
        {
            return null;
        }
        var context = new JsonObject { ["Properties"] = ValueRendering.Shown(resource.Properties, replaced) };
        foreach (var (name, value) in new[] { ("Metadata", resource.Metadata), ("CreationPolicy", resource.CreationPolicy), ("UpdatePolicy", resource.UpdatePolicy) })
        {
            if (value is not null)
            {
                context[name] = ValueRendering.Shown(value, replaced);
            }
        }
        if (resource.DeletionPolicy != "Delete")
        {
            context["DeletionPolicy"] = resource.DeletionPolicy;
        }
        if (resource.UpdateReplacePolicy != "Delete")
        {
            context["UpdateReplacePolicy"] = resource.UpdateReplacePolicy;
        }
        return ValueRendering.Text(context);
    }

    private static void Details(ResourceChange change, StackComparison comparison, JsonArray details, SortedSet<string> scope)
    {
        var tagsProperty = ResourceSpecification.Default.Find(change.Type)?.TagsProperty;
        foreach (var property in change.Properties)
        {
            var name = PropertyComparison.TopLevel(property.Path);
            var attribute = name == tagsProperty ? "Tags" : "Properties";
            scope.Add(attribute);
            var target = Target(attribute, property, PropertyPointer.Of(property.Path, change.After!.Properties, change.Before!.Properties));
            if (attribute == "Properties")
            {
                target["Name"] = name;
            }
            var detail = new JsonObject { ["Target"] = target, ["Evaluation"] = property.KnownAfterApply ? "Dynamic" : "Static" };
            var reference = change.After.References.FirstOrDefault(candidate =>
                PropertyComparison.TopLevel(Without(candidate.Path, "Properties.")) == name && property.Causes.Any(cause => cause == candidate.LogicalId || cause.EndsWith("/" + candidate.LogicalId, StringComparison.Ordinal)));
            if (property.KnownAfterApply && reference is not null)
            {
                detail["ChangeSource"] = reference.Attribute is null ? "ResourceReference" : "ResourceAttribute";
                detail["CausingEntity"] = reference.Attribute is null ? reference.LogicalId : $"{reference.LogicalId}.{reference.Attribute}";
            }
            else if (change.After.ParameterReferences.FirstOrDefault(candidate =>
                PropertyComparison.TopLevel(Without(candidate.Path, "Properties.")) == name && comparison.ParameterChanged(ParentOf(change.Path), candidate.Name)) is { } parameter)
            {
                detail["ChangeSource"] = "ParameterReference";
                detail["CausingEntity"] = parameter.Name;
            }
            else
            {
                detail["ChangeSource"] = "DirectModification";
            }
            details.Add(detail);
        }
        foreach (var attribute in change.Attributes)
        {
            scope.Add(attribute.Path);
            details.Add(new JsonObject
            {
                ["Target"] = Target(attribute.Path, attribute, "/" + attribute.Path),
                ["Evaluation"] = "Static",
                ["ChangeSource"] = "DirectModification",
            });
        }
    }

    private static string Without(string path, string prefix) => path.StartsWith(prefix, StringComparison.Ordinal) ? path[prefix.Length..] : path;

    private static JsonObject Target(string attribute, PropertyChange change, string pointer) => new()
    {
        ["Attribute"] = attribute,
        ["RequiresRecreation"] = change.RequiresRecreation switch
        {
            Replacement.Always => "Always",
            Replacement.Conditional => "Conditionally",
            _ => "Never",
        },
        ["Path"] = pointer,
        ["BeforeValue"] = ValueRendering.Scalar(change.Before),
        ["AfterValue"] = ValueRendering.Scalar(change.After),
        ["AttributeChangeType"] = change.Before is null ? "Add" : change.After is null ? "Remove" : "Modify",
    };

    /// <summary>A change without property values: what only describing with them shows is left out, and each property is named once.</summary>
    public static JsonObject WithoutValues(JsonObject change)
    {
        var copy = (JsonObject)change.DeepClone();
        var resource = (JsonObject)copy["ResourceChange"]!;
        resource.Remove("BeforeContext");
        resource.Remove("AfterContext");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var details = new JsonArray();
        foreach (var detail in ((JsonArray)resource["Details"]!).OfType<JsonObject>())
        {
            var target = (JsonObject)detail["Target"]!;
            foreach (var name in new[] { "Path", "BeforeValue", "AfterValue", "BeforeValueFrom", "AfterValueFrom", "Drift", "AttributeChangeType" })
            {
                target.Remove(name);
            }
            if (seen.Add(detail.ToJsonString()))
            {
                details.Add(detail.DeepClone());
            }
        }
        resource["Details"] = details;
        return copy;
    }
}

/// <summary>The path of a changed property as change sets write it: <c>/Properties/ContainerDefinitions/0/Image</c>.</summary>
internal static class PropertyPointer
{
    public static string Of(string path, MapValue after, MapValue before)
    {
        var pointer = new System.Text.StringBuilder("/Properties");
        Value? now = after;
        Value? was = before;
        var at = 0;
        while (at < path.Length)
        {
            if (path[at] == '.')
            {
                at++;
                continue;
            }
            if (path[at] != '[')
            {
                var end = path.AsSpan(at).IndexOfAny('.', '[') is var found && found < 0 ? path.Length : at + found;
                var name = path[at..end];
                pointer.Append('/').Append(name);
                now = now?[name];
                was = was?[name];
                at = end;
                continue;
            }
            var close = path.IndexOf(']', at);
            close = close < 0 ? path.Length : close;
            var inside = path[(at + 1)..close];
            var equals = inside.IndexOf('=', StringComparison.Ordinal);
            var index = equals < 0 ? int.TryParse(inside, out var number) ? number : 0 : Index(now, inside, equals) ?? Index(was, inside, equals) ?? 0;
            pointer.Append('/').Append(index);
            now = At(now, inside, equals, index);
            was = At(was, inside, equals, index);
            at = close + 1;
        }
        return pointer.ToString();
    }

    private static int? Index(Value? list, string inside, int equals)
    {
        for (var i = 0; list is not null && i < list.Items.Count; i++)
        {
            if (list.Items[i][inside[..equals]]?.AsString() == inside[(equals + 1)..])
            {
                return i;
            }
        }
        return null;
    }

    private static Value? At(Value? list, string inside, int equals, int index)
    {
        var own = equals < 0 ? index : Index(list, inside, equals) ?? -1;
        return list is not null && own >= 0 && own < list.Items.Count ? list.Items[own] : null;
    }
}
