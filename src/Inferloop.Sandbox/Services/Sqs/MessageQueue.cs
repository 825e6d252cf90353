using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Sqs;

/// <summary>A message in a queue.</summary>
internal sealed class QueueMessage(JsonObject content, string id, DateTimeOffset sent, DateTimeOffset visible, string sender, long sequence)
{
    public string Id => id;

    public long Sequence => sequence;

    public DateTimeOffset Sent => sent;

    public DateTimeOffset Visible { get; set; } = visible;

    public string? Group => content.Text("MessageGroupId");

    public string? Receipt { get; set; }

    public int Receives { get; set; }

    public DateTimeOffset? FirstReceived { get; set; }

    /// <summary>The queue that it died in; null for one that was sent.</summary>
    public string? Origin { get; set; }

    /// <summary>It begins again, as if nobody had received it yet.</summary>
    public void Renew() => (Receives, FirstReceived, Receipt, Origin) = (0, null, null, null);

    public JsonObject Describe(JsonObject request)
    {
        var names = request.Texts("AttributeNames").Concat(request.Texts("MessageSystemAttributeNames")).ToHashSet(StringComparer.Ordinal);
        var system = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SenderId"] = sender,
            ["SentTimestamp"] = sent.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
            ["ApproximateReceiveCount"] = Receives.ToString(CultureInfo.InvariantCulture),
            ["ApproximateFirstReceiveTimestamp"] = (FirstReceived ?? sent).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
        };
        if (Group is { } group)
        {
            system["MessageGroupId"] = group;
            system["SequenceNumber"] = sequence.ToString("D20", CultureInfo.InvariantCulture);
        }
        var described = new JsonObject { ["MessageId"] = id, ["ReceiptHandle"] = Receipt, ["MD5OfBody"] = SqsService.Digest(content.Required("MessageBody")), ["Body"] = content.Text("MessageBody") };
        var chosen = system.Where(pair => names.Contains("All") || names.Contains(pair.Key)).ToMap();
        if (chosen.Count > 0)
        {
            described["Attributes"] = chosen;
        }
        var wanted = request.Texts("MessageAttributeNames");
        var attributes = new JsonObject();
        foreach (var (name, value) in content.Child("MessageAttributes") ?? [])
        {
            if (wanted.Any(item => item is "All" or ".*" || item == name || (item.EndsWith(".*", StringComparison.Ordinal) && name.StartsWith(item[..^2], StringComparison.Ordinal))))
            {
                attributes[name] = value.Copy();
            }
        }
        if (attributes.Count > 0)
        {
            described["MessageAttributes"] = attributes;
            described["MD5OfMessageAttributes"] = MessageQueue.AttributeDigest(attributes);
        }
        return described;
    }
}

/// <summary>A queue and its messages.</summary>
internal sealed class MessageQueue((string Account, string Region, string Name) key, string arn, Dictionary<string, string> attributes, DateTimeOffset birth, Func<string, MessageQueue?> byArn)
{
    private readonly object gate = new();
    private readonly List<QueueMessage> messages = [];
    private readonly Dictionary<string, string> tags = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (DateTimeOffset At, QueueMessage Message)> deduplication = new(StringComparer.Ordinal);
    private TaskCompletionSource arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DateTimeOffset created = birth;
    private DateTimeOffset modified = birth;
    private long sequence;

    public (string Account, string Region, string Name) Key => key;

    public string Arn => arn;

    public bool IsFifo => Attribute("FifoQueue") == "true";

    /// <summary>The dead letter queue and how often a message may be received before it goes there.</summary>
    public (string Arn, int MaximumReceives)? DeadLetter => PolicyDocument.AsObject(Attribute("RedrivePolicy")) is JsonObject policy && policy.Text("deadLetterTargetArn") is { } target
        ? (target, policy.Int("maxReceiveCount") ?? 10)
        : null;

    public string? Attribute(string name)
    {
        lock (gate)
        {
            return attributes.GetValueOrDefault(name);
        }
    }

    public void Set(Dictionary<string, string> changes, DateTimeOffset now)
    {
        lock (gate)
        {
            foreach (var (name, value) in changes)
            {
                if (value.Length == 0)
                {
                    attributes.Remove(name);
                }
                else
                {
                    attributes[name] = value;
                }
            }
            modified = now;
        }
    }

    public Dictionary<string, string> Describe(RequestContext context)
    {
        lock (gate)
        {
            Expire(context.Now);
            var all = new Dictionary<string, string>(attributes, StringComparer.Ordinal)
            {
                ["QueueArn"] = arn,
                ["CreatedTimestamp"] = created.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
                ["LastModifiedTimestamp"] = modified.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
                ["ApproximateNumberOfMessages"] = messages.Count(message => message.Visible <= context.Now).ToString(CultureInfo.InvariantCulture),
                ["ApproximateNumberOfMessagesNotVisible"] = messages.Count(message => message.Visible > context.Now && message.Receives > 0).ToString(CultureInfo.InvariantCulture),
                ["ApproximateNumberOfMessagesDelayed"] = messages.Count(message => message.Visible > context.Now && message.Receives == 0).ToString(CultureInfo.InvariantCulture),
            };
            return all;
        }
    }

    public QueueMessage Send(JsonObject content, string id, DateTimeOffset now, int delay, string sender)
    {
        lock (gate)
        {
            var token = IsFifo ? content.Text("MessageDeduplicationId") ?? SqsService.Digest(content.Required("MessageBody")) : null;
            if (token is not null && deduplication.TryGetValue(token, out var earlier) && earlier.At > now.AddMinutes(-5))
            {
                return earlier.Message;
            }
            var message = new QueueMessage(content.Copy(), id, now, now.AddSeconds(delay), sender, ++sequence);
            messages.Add(message);
            if (token is not null)
            {
                deduplication[token] = (now, message);
            }
            Arrived();
            return message;
        }
    }

    public Task Arrival()
    {
        lock (gate)
        {
            return arrival.Task;
        }
    }

    public List<QueueMessage> Receive(int count, DateTimeOffset now, int visibility, Func<string> receipt)
    {
        var dead = new List<QueueMessage>();
        var received = new List<QueueMessage>();
        lock (gate)
        {
            Expire(now);
            var limit = DeadLetter;
            var blocked = new HashSet<string>(StringComparer.Ordinal);
            foreach (var message in messages.ToList())
            {
                if (received.Count >= count)
                {
                    break;
                }
                // A group of a FIFO queue waits while one of its messages is being worked on.
                if (message.Group is { } group && IsFifo && (blocked.Contains(group) || message.Visible > now))
                {
                    blocked.Add(group);
                    continue;
                }
                if (message.Visible > now)
                {
                    continue;
                }
                if (limit is { } letters && message.Receives >= letters.MaximumReceives)
                {
                    messages.Remove(message);
                    dead.Add(message);
                    continue;
                }
                message.Receives++;
                message.FirstReceived ??= now;
                message.Visible = now.AddSeconds(visibility);
                message.Receipt = receipt();
                received.Add(message);
            }
        }
        if (dead.Count > 0 && DeadLetter is { } target && byArn(target.Arn) is { } other)
        {
            foreach (var letter in dead)
            {
                // Where it goes back to when it is moved on.
                letter.Origin = arn;
            }
            other.Take(dead, now);
        }
        return received;
    }

    /// <summary>Moves messages that nobody is working on to a queue, or back to where each came from; says how many.</summary>
    public int Move(int most, DateTimeOffset now, string? destination)
    {
        List<(QueueMessage Message, MessageQueue To)> moved;
        lock (gate)
        {
            Expire(now);
            moved = [.. messages.Where(message => message.Visible <= now).Select(message => (Message: message, To: (destination ?? message.Origin) is { } to ? byArn(to) : null))
                .Where(static pair => pair.To is not null).Take(most).Select(static pair => (pair.Message, pair.To!))];
            messages.RemoveAll(message => moved.Exists(pair => ReferenceEquals(pair.Message, message)));
        }
        foreach (var (message, to) in moved)
        {
            message.Renew();
            to.Take([message], now);
        }
        return moved.Count;
    }

    public void Delete(string receipt)
    {
        lock (gate)
        {
            messages.RemoveAll(message => message.Receipt == receipt);
        }
    }

    public void ChangeVisibility(string receipt, DateTimeOffset until)
    {
        lock (gate)
        {
            var message = messages.Find(item => item.Receipt == receipt) ?? throw new ServiceFault("ReceiptHandleIsInvalid", $"The input receipt handle \"{receipt}\" is not a valid receipt handle.");
            message.Visible = until;
            Arrived();
        }
    }

    public void Purge()
    {
        lock (gate)
        {
            messages.Clear();
        }
    }

    public void Tag(Dictionary<string, string> added)
    {
        lock (gate)
        {
            foreach (var (name, value) in added)
            {
                tags[name] = value;
            }
        }
    }

    public void Untag(IEnumerable<string> names)
    {
        lock (gate)
        {
            foreach (var name in names)
            {
                tags.Remove(name);
            }
        }
    }

    public JsonObject TagMap()
    {
        lock (gate)
        {
            return tags.ToMap();
        }
    }

    /// <summary>The digest of message attributes that clients check: name, type and value of each, in the order of the names.</summary>
    public static string? AttributeDigest(JsonObject? attributes)
    {
        if (attributes is null || attributes.Count == 0)
        {
            return null;
        }
        using var stream = new MemoryStream();
        void Write(byte[] bytes)
        {
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            stream.Write(length);
            stream.Write(bytes);
        }
        foreach (var (name, node) in attributes.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var attribute = (JsonObject)node!;
            Write(Encoding.UTF8.GetBytes(name));
            Write(Encoding.UTF8.GetBytes(attribute.Required("DataType")));
            if (attribute.Text("BinaryValue") is { } binary)
            {
                stream.WriteByte(2);
                Write(Convert.FromBase64String(binary));
            }
            else
            {
                stream.WriteByte(1);
                Write(Encoding.UTF8.GetBytes(attribute.Text("StringValue") ?? ""));
            }
        }
#pragma warning disable CA5351 // Prescribed by the protocol as a checksum; it protects nothing.
        return Convert.ToHexString(MD5.HashData(stream.ToArray())).ToLowerInvariant();
#pragma warning restore CA5351
    }

    private void Take(List<QueueMessage> dead, DateTimeOffset now)
    {
        lock (gate)
        {
            foreach (var message in dead)
            {
                message.Visible = now;
                message.Receipt = null;
                messages.Add(message);
            }
            Arrived();
        }
    }

    private void Arrived()
    {
        var waiting = arrival;
        arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.TrySetResult();
    }

    private void Expire(DateTimeOffset now)
    {
        var retention = int.Parse(attributes["MessageRetentionPeriod"], CultureInfo.InvariantCulture);
        messages.RemoveAll(message => message.Sent.AddSeconds(retention) < now);
    }
}
