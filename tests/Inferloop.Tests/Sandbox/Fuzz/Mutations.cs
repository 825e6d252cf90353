using System.Text;
using System.Text.Json.Nodes;

namespace Inferloop.Tests.Sandbox.Fuzz;

/// <summary>What can be wrong with a document and with its bytes.</summary>
internal sealed class Mutations(Random random)
{
    /// <summary>Stands where <see cref="Written"/> puts what no document could hold.</summary>
    private const string Mark = "@@fuzz@@";

    private static readonly string[] Wild =
    [
        "1e400", "-1e308", "99999999999999999999999999", "-9223372036854775809", "2147483648", "-0", "0.1", "NaN", "tru", "null", "true", "\"\"", "\"\\ud800\"", "\"\\u0000\"", "[]", "{}", "[1,]", "{\"a\":1,\"a\":2}",
        "[[[[[[]]]]]]", "\"" + new string('x', 5_000) + "\"", "[null]", "[{}]", "[\"a\",1]", "{\"\":null}", "\"2026-13-45T99:99:99Z\"", "\"%00\"", "\"-1\"", "\"../../etc\"", "1", "-1", "0", "\"é\\uD83D\\uDE00\"",
        string.Concat(Enumerable.Repeat("[", 400)), string.Concat(Enumerable.Repeat("{\"a\":", 150)) + "1" + new string('}', 150), string.Concat(Enumerable.Repeat("[", 60)) + new string(']', 60),
    ];

    private static readonly byte[][] BadText = [[0xC3, 0x28], [0xFF], [0xED, 0xA0, 0x80], [0xF8, 0x88, 0x80, 0x80], [0x00], [0xC0, 0xAF], [0xE2, 0x82]];

    private static readonly string[] Texts =
    [
        "", " ", "\0", "-1", "0", "1e9", "99999999999999999999", "null", "true", "*", "%", "..", "/", "a/b/c", "arn:", "arn:aws", "arn:aws:::::", "arn:aws:iam::123456789012:role/", "::::::", "[", "{", "{}", "[]", "{\"a\":", "\"", "'", "<a>", "&", "a,b",
        "0.0.0.0/0", "300.1.1.1/99", "10.0.0.0/33", "::/0", "2026-02-30", "P", "PT", "cron()", "cron(* * * * * *)", "rate(0 minutes)", "rate(99999999999 days)", "${a}", "{{resolve:ssm:x}}", "é", "\uD83D\uDE00", "\u202E", new('x', 3_000), "#", ":a", "a.b.c[0]", "a[", "-",
        "https://", "http://[", "s3://", "i-", "vpc-", "latest", "$LATEST", "1:2:3", "=", "a=b", "\n", "2147483648", "1.5", "+1", "e", "AAAA", "====",
    ];

    public string Text() => Texts[random.Next(Texts.Length)];

    /// <summary>Puts a value of another type, another size or another meaning in the place of one to three values, some of which no document could hold.</summary>
    public void Disturb(JsonObject document, bool textOnly)
    {
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            JsonNode? node = document;
            while (true)
            {
                if (node is JsonObject { Count: > 0 } members)
                {
                    var name = members.ElementAt(random.Next(members.Count)).Key;
                    if (members[name] is JsonObject { Count: > 0 } or JsonArray { Count: > 0 } && random.Next(3) > 0)
                    {
                        node = members[name];
                        continue;
                    }
                    members[name] = Replacement(members[name], textOnly);
                }
                else if (node is JsonArray { Count: > 0 } items)
                {
                    var i = random.Next(items.Count);
                    if (items[i] is JsonObject { Count: > 0 } or JsonArray { Count: > 0 } && random.Next(3) > 0)
                    {
                        node = items[i];
                        continue;
                    }
                    items[i] = Replacement(items[i], textOnly);
                }
                break;
            }
        }
    }

    /// <summary>The document's text with what no document could hold in it.</summary>
    public string Written(JsonObject document)
    {
        var text = document.ToJsonString();
        for (var at = text.IndexOf($"\"{Mark}\"", StringComparison.Ordinal); at >= 0; at = text.IndexOf($"\"{Mark}\"", StringComparison.Ordinal))
        {
            text = text[..at] + Wild[random.Next(Wild.Length)] + text[(at + Mark.Length + 2)..];
        }
        return text;
    }

    public byte[] Broken(byte[] body)
    {
        switch (random.Next(7))
        {
            case 0 when body.Length > 0:
                return body[..random.Next(body.Length)];
            case 1:
                var noise = new byte[random.Next(200)];
                random.NextBytes(noise);
                return noise;
            case 2 when body.Length > 0:
                var changed = (byte[])body.Clone();
                for (var i = 0; i < 5; i++)
                {
                    changed[random.Next(changed.Length)] = (byte)random.Next(256);
                }
                return changed;
            case 3:
                return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace("true", "\"x\"", StringComparison.Ordinal).Replace('[', '{').Replace(']', '}'));
            case 4 when body.Length > 0:
                return Spliced(body, BadText[random.Next(BadText.Length)]);
            case 5 when body.Length > 1:
                // A piece of it once more, somewhere.
                var from = random.Next(body.Length);
                return Spliced(body, body[from..random.Next(from, body.Length)]);
            default:
                return [];
        }
    }

    public string Garbage(string text)
    {
        var characters = new[] { "/", "%", "%zz", "..", "\u00e9", "?", "&&", "=", "+", "%00", "{", "}", "%FF", "%ED%A0%80", new('a', 9_000), ";", "#", "%2F%2F", " ", "\t" };
        var bare = text.TrimStart('/');
        return "/" + bare.Insert(random.Next(bare.Length + 1), characters[random.Next(characters.Length)]);
    }

    private byte[] Spliced(byte[] body, byte[] piece)
    {
        var at = random.Next(body.Length + 1);
        return [.. body[..at], .. piece, .. body[at..]];
    }

    private JsonValue Replacement(JsonNode? was, bool textOnly) =>
        textOnly || was is JsonValue text && text.GetValueKind() == System.Text.Json.JsonValueKind.String && random.Next(2) == 0 ? JsonValue.Create(Text()) : JsonValue.Create(Mark);
}
