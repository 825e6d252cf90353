using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services;

/// <summary>A resource type given by what it does on create, update, delete and read.</summary>
internal sealed class Provider(string type) : ResourceProvider
{
    private static readonly Func<ProvisionContext, string, Task<IReadOnlyDictionary<string, JsonNode?>>> NoAttributes =
        static (_, _) => Task.FromResult(ProvisionedResource.NoAttributes);

    public override string Type { get; } = type;

    public string? Service { get; init; }

    public override string ServiceName => Service ?? base.ServiceName;

    /// <summary>Creates the resource, waits until it is ready and gives its physical id.</summary>
    public required Func<ProvisionContext, JsonObject, Task<string>> Create { get; init; }

    /// <summary>Changes it in place; types without this have only properties that replace.</summary>
    public Func<ProvisionContext, string, JsonObject, JsonObject, Task>? Update { get; init; }

    public required Func<ProvisionContext, string, JsonObject, Task> Delete { get; init; }

    /// <summary>Its present properties; null, or one of <see cref="Gone"/>, when it does not exist.</summary>
    public required Func<ProvisionContext, string, Task<JsonObject?>> Read { get; init; }

    public Func<ProvisionContext, string, Task<IReadOnlyDictionary<string, JsonNode?>>> Attributes { get; init; } = NoAttributes;

    /// <summary>What Ref gives, where that is not the physical id.</summary>
    public Func<string, string>? Reference { get; init; }

    public Func<string, JsonObject, JsonObject, bool>? Replaces { get; init; }

    /// <summary>The codes by which the service says that the resource does not exist.</summary>
    public IReadOnlyList<string> Gone { get; init; } = ["ResourceNotFoundException"];

    /// <summary>The codes by which the service says that the resource is in a transition: its deletion is tried again until it can be.</summary>
    public IReadOnlyList<string> Busy { get; init; } = [];

    public override async Task<ProvisionedResource> CreateAsync(ProvisionContext context, JsonObject properties) =>
        await DescribeAsync(context, await Create(context, properties).ConfigureAwait(false)).ConfigureAwait(false);

    public override async Task<ProvisionedResource> UpdateAsync(ProvisionContext context, string physicalId, JsonObject before, JsonObject after)
    {
        if (Update is null)
        {
            // Changes of tags alone reach types that have nothing to update: the service has no call for them either.
            return await DescribeAsync(context, physicalId).ConfigureAwait(false);
        }
        await Update(context, physicalId, before, after).ConfigureAwait(false);
        return await DescribeAsync(context, physicalId).ConfigureAwait(false);
    }

    public override async Task DeleteAsync(ProvisionContext context, string physicalId, JsonObject properties)
    {
        // As long as a handler of CloudFormation's own would try.
        var end = context.Runtime.Clock.Now + TimeSpan.FromMinutes(30);
        while (true)
        {
            try
            {
                await Delete(context, physicalId, properties).ConfigureAwait(false);
                return;
            }
            catch (ServiceFault fault) when (Gone.Contains(fault.Code))
            {
                // Already gone counts as deleted.
                return;
            }
            catch (ServiceFault fault) when (Busy.Contains(fault.Code) && context.Runtime.Clock.Now < end)
            {
                await context.DelayAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
            }
        }
    }

    public override async Task<JsonObject?> ReadAsync(ProvisionContext context, string physicalId)
    {
        try
        {
            return await Read(context, physicalId).ConfigureAwait(false);
        }
        catch (ServiceFault fault) when (Gone.Contains(fault.Code))
        {
            return null;
        }
    }

    public override bool RequiresReplacement(string property, JsonObject before, JsonObject after) => Replaces?.Invoke(property, before, after) ?? false;

    public override async Task<ProvisionedResource?> ImportAsync(ProvisionContext context, IReadOnlyDictionary<string, string> identifier, JsonObject properties)
    {
        var physicalId = identifier.Values.FirstOrDefault();
        return physicalId is not null && await ReadAsync(context, physicalId).ConfigureAwait(false) is not null
            ? await DescribeAsync(context, physicalId).ConfigureAwait(false)
            : null;
    }

    private async Task<ProvisionedResource> DescribeAsync(ProvisionContext context, string physicalId)
    {
        while (true)
        {
            var attributes = await Attributes(context, physicalId).ConfigureAwait(false);
            if (!context.EndsEarly || context.ReadAttributes.All(name => !attributes.TryGetValue(name, out var value) || value is not null))
            {
                return new ProvisionedResource(physicalId, attributes) { Reference = Reference?.Invoke(physicalId) };
            }
            await context.DelayAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        }
    }
}

/// <summary>Short forms for providers.</summary>
internal static class ProviderExtensions
{
    /// <summary>Calls an operation for the stack's owner.</summary>
    public static Task<JsonObject> CallAsync(this SandboxService service, ProvisionContext context, string operation, JsonObject input) =>
        service.InvokeAsync(context.Request, operation, input);

    /// <summary>Calls an operation with the properties it has members for.</summary>
    public static Task<JsonObject> CallMappedAsync(this SandboxService service, ProvisionContext context, string operation, JsonObject properties,
        params ReadOnlySpan<(string Property, string Member)> renames) =>
        service.InvokeAsync(context.Request, operation, PropertyMapper.ToInput(service, operation, properties, renames));

    /// <summary>Attributes from pairs.</summary>
    public static IReadOnlyDictionary<string, JsonNode?> Attributes(params ReadOnlySpan<(string Name, JsonNode? Value)> pairs)
    {
        var attributes = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var (name, value) in pairs)
        {
            attributes[name] = value.Copy();
        }
        return attributes;
    }

    /// <summary>The properties with the stack's tags merged in.</summary>
    public static JsonObject Tagged(this JsonObject properties, ProvisionContext context)
    {
        var tagged = properties.Copy();
        var tags = context.MergedTags(properties["Tags"]);
        if (tags.Count > 0)
        {
            tagged["Tags"] = tags;
        }
        else
        {
            tagged.Remove("Tags");
        }
        return tagged;
    }

    /// <summary>What to add and what to remove to get from one list of tags to the other.</summary>
    public static (JsonArray Put, JsonArray Removed) TagChange(ProvisionContext context, JsonObject before, JsonObject after)
    {
        var now = context.MergedTags(after["Tags"]);
        var keys = now.OfType<JsonObject>().Select(tag => tag.Text("Key")).ToHashSet();
        var gone = context.MergedTags(before["Tags"]).OfType<JsonObject>().Select(tag => tag.Text("Key")!).Where(key => !keys.Contains(key));
        return (now, gone.ToTextList());
    }

    /// <summary>Brings the tags of a resource from one state to another, for services whose tags are a map.</summary>
    public static async Task RetagAsync(this SandboxService service, ProvisionContext context, JsonObject before, JsonObject after, string arn,
        string arnMember = "resourceArn", string tagsMember = "tags", string keysMember = "tagKeys")
    {
        var (put, removed) = TagChange(context, before, after);
        if (removed.Count > 0)
        {
            await service.CallAsync(context, "UntagResource", new JsonObject { [arnMember] = arn, [keysMember] = removed }).ConfigureAwait(false);
        }
        if (put.Count > 0)
        {
            await service.CallAsync(context, "TagResource", new JsonObject { [arnMember] = arn, [tagsMember] = Tags.AsMap(put.OfType<JsonObject>()) }).ConfigureAwait(false);
        }
    }

    /// <summary>Whether a property differs.</summary>
    public static bool Changed(this JsonObject after, JsonObject before, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (!Documents.Same(before[name], after[name]))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>A generated name unless the template gives one.</summary>
    public static string NameOf(this ProvisionContext context, JsonObject properties, string property, int maximumLength = 255, bool lowerCase = false) =>
        properties.Text(property) is { Length: > 0 } name ? name : context.GenerateName(maximumLength, lowerCase);
}
