using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>
/// What invocations of a function do, as its tag <c>inferloop:sandbox-behaviour</c> declares it: words of <c>name=value</c>, each optional.
/// </summary>
/// <remarks>
/// <c>outcome</c> is <c>success</c> (the default), <c>error</c> or <c>timeout</c>; <c>error</c> the error type of a failure; <c>duration</c> the
/// milliseconds of an invocation; <c>memory</c> the megabytes it uses; <c>fail-rate</c> the percentage of invocations that fail where the outcome
/// is <c>success</c>; <c>payload</c> what a successful one returns: JSON in base64url, as tag values cannot hold braces. Nothing else of a function
/// has an influence, its code least of all.
/// </remarks>
internal sealed record FunctionBehaviour(string Outcome, string Error, double Duration, int Memory, double FailRate, string Payload)
{
    public const string Tag = "inferloop:sandbox-behaviour";

    private static readonly FunctionBehaviour Default = new("success", "Error", 25, 64, 0, "null");

    /// <summary>Reads a function's tag. Words that are not understood are the caller's mistake and are named.</summary>
    public static FunctionBehaviour Of(JsonObject function, out string? problem)
    {
        problem = null;
        var behaviour = Default;
        foreach (var word in (function.Child("_Tags")?.Text(Tag) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = word.Split('=', 2) is [var left, var right] ? (left, right) : (word, "");
            var number = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var read) && read >= 0 ? read : (double?)null;
            FunctionBehaviour? changed = name switch
            {
                "outcome" when value is "success" or "error" or "timeout" => behaviour with { Outcome = value },
                "error" when value.Length > 0 => behaviour with { Error = value },
                "duration" when number is { } duration => behaviour with { Duration = duration },
                "memory" when number is { } memory => behaviour with { Memory = (int)memory },
                "fail-rate" when number is <= 100 => behaviour with { FailRate = number.Value },
                "payload" when Decode(value) is { } payload => behaviour with { Payload = payload },
                _ => null,
            };
            if (changed is null)
            {
                problem = $"The tag {Tag} of the function declares '{word}', which the sandbox does not understand.";
                return Default;
            }
            behaviour = changed;
        }
        return behaviour;
    }

    private static string? Decode(string value)
    {
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(value.Replace('-', '+').Replace('_', '/').PadRight((value.Length + 3) / 4 * 4, '=')));
            using var document = JsonDocument.Parse(text);
            return text;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }
}
