using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>What a provider knows of the stack it works for.</summary>
internal sealed class ProvisionContext
{
    /// <summary>The caller's account and region; its cancellation ends the provisioning.</summary>
    public required RequestContext Request { get; init; }

    public required string StackName { get; init; }

    public required string StackId { get; init; }

    public required string LogicalId { get; init; }

    /// <summary>A token that is the same for repeated attempts of one provisioning step.</summary>
    public required string ClientToken { get; init; }

    /// <summary>The stack's tags with CloudFormation's own (<c>aws:cloudformation:*</c>), to be put on taggable resources beside those of the properties.</summary>
    public IReadOnlyDictionary<string, string> StackTags { get; init; } = new Dictionary<string, string>();

    /// <summary>A deletion that keeps a final snapshot (DeletionPolicy: Snapshot).</summary>
    public bool TakeSnapshot { get; init; }

    /// <summary>Express mode: what the service does after it has taken the request is not waited for.</summary>
    public bool EndsEarly { get; init; }

    /// <summary>Attributes that others read: also in express mode the resource is not complete before it has them.</summary>
    public IReadOnlyList<string> ReadAttributes { get; init; } = [];

    /// <summary>Called once with the physical id, when it is known and the resource is not ready yet.</summary>
    public Action<string> OnInitiated { get; init; } = static _ => { };

    /// <summary>The resource's <c>CreationPolicy</c>, <c>UpdatePolicy</c> and <c>Metadata</c> attributes, evaluated.</summary>
    public JsonNode? CreationPolicy { get; init; }

    public JsonNode? UpdatePolicy { get; init; }

    public JsonNode? Metadata { get; init; }

    public SandboxRuntime Runtime => Request.Runtime;

    public CancellationToken Cancellation => Request.Cancellation;

    /// <summary>Says that the resource has begun to exist: gives the event "Resource creation Initiated".</summary>
    public void Initiated(string physicalId) => OnInitiated(physicalId);

    /// <summary>Waits some sandbox time.</summary>
    public Task DelayAsync(TimeSpan sandboxTime) => Runtime.Clock.DelayAsync(sandboxTime, Cancellation);

    /// <summary>Asks again and again, on the sandbox clock, until the condition holds; a fault says that it did not in time.</summary>
    public async Task WaitUntilAsync(Func<Task<bool>> condition, TimeSpan? interval = null, TimeSpan? timeout = null)
    {
        var step = interval ?? TimeSpan.FromSeconds(5);
        var end = Runtime.Clock.Now + (timeout ?? TimeSpan.FromHours(3));
        while (!await condition().ConfigureAwait(false) && !EndsEarly)
        {
            if (Runtime.Clock.Now >= end)
            {
                throw new ServiceFault("NotStabilized", "Exceeded attempts to wait");
            }
            await DelayAsync(step).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The name CloudFormation generates for a resource without one: stack name, logical id and a random suffix, cut to a length.
    /// </summary>
    public string GenerateName(int maximumLength = 255, bool lowerCase = false)
    {
        const int SuffixLength = 12;
        var suffix = Runtime.Ids.Upper(SuffixLength);
        var room = Math.Max(0, maximumLength - SuffixLength - 2);
        var stack = StackName;
        var logical = LogicalId;
        if (stack.Length + logical.Length > room)
        {
            // Both keep their beginning, the logical id up to half of the room.
            var logicalLength = Math.Min(logical.Length, Math.Max(room / 2, room - stack.Length));
            logical = logical[..Math.Max(0, logicalLength)];
            stack = stack[..Math.Max(0, Math.Min(stack.Length, room - logical.Length))];
        }
        var name = $"{stack}-{logical}-{suffix}";
        return lowerCase ? name.ToLowerInvariant() : name;
    }

    /// <summary>The tags for a taggable resource: the stack's, those of its own properties winning; in the form <c>[{Key, Value}]</c>.</summary>
    public JsonArray MergedTags(JsonNode? propertyTags)
    {
        var merged = new Dictionary<string, string>(StackTags, StringComparer.Ordinal);
        switch (propertyTags)
        {
            case JsonArray list:
                foreach (var tag in list.OfType<JsonObject>())
                {
                    merged[(string?)tag["Key"] ?? (string?)tag["key"] ?? ""] = (tag["Value"] ?? tag["value"])?.ToString() ?? "";
                }
                break;
            case JsonObject map:
                foreach (var (key, value) in map)
                {
                    merged[key] = value?.ToString() ?? "";
                }
                break;
        }
        return new JsonArray(merged.OrderBy(tag => tag.Key, StringComparer.Ordinal)
            .Select(tag => (JsonNode?)new JsonObject { ["Key"] = tag.Key, ["Value"] = tag.Value }).ToArray());
    }
}
