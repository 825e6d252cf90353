using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Inferloop.Templates;

/// <summary>Values as a person reads them.</summary>
internal static class ValueText
{
    public const string Mask = "****";

    public static void Append(StringBuilder text, Value value, bool top = false)
    {
        if (value.IsSecret)
        {
            text.Append(Mask);
            return;
        }

        switch (value)
        {
            case ListValue list:
                text.Append('[');
                for (var i = 0; i < list.Items.Count; i++)
                {
                    text.Append(i == 0 ? "" : ", ");
                    Append(text, list.Items[i]);
                }

                text.Append(']');
                break;
            case MapValue map:
                text.Append('{');
                for (var i = 0; i < map.Entries.Count; i++)
                {
                    text.Append(i == 0 ? "" : ", ").Append(Quote(map.Entries[i].Key)).Append(": ");
                    Append(text, map.Entries[i].Value);
                }

                text.Append('}');
                break;
            case UnknownValue unknown:
                text.Append(unknown.Expression is { } expression ? $"(known after apply: {expression})"
                    : unknown.Sources.Count == 0 ? "(known after apply)" : $"(known after apply: {string.Join(", ", unknown.Sources)})");
                break;
            case StringValue s:
                text.Append(top ? s.Text : Quote(s.Text));
                break;
            case NullValue:
                text.Append("null");
                break;
            case NoValue:
                text.Append("AWS::NoValue");
                break;
            default:
                text.Append(value.AsString());
                break;
        }
    }

    private static string Quote(string text) =>
        $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
