using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services;

/// <summary>Cuts a list into pages. A token holds where the next page begins.</summary>
internal static class Pages
{
    public static (IReadOnlyList<T> Items, string? Next) Cut<T>(IReadOnlyList<T> all, int? size, string? token, int defaultSize, string tokenErrorCode)
    {
        var start = token is null ? 0 : Start(token, tokenErrorCode);
        var count = Math.Max(1, size ?? defaultSize);
        var page = all.Skip(start).Take(count).ToList();
        return (page, start + page.Count < all.Count ? Token(start + page.Count) : null);
    }

    /// <summary>The answer to a list operation: one page of documents and the token of the next.</summary>
    public static JsonObject Answer(JsonObject input, IReadOnlyList<JsonObject> all, string member, string sizeMember = "MaxResults",
        string tokenMember = "NextToken", int defaultSize = 1000, string tokenErrorCode = "InvalidNextToken", string? nextMember = null)
    {
        var (items, next) = Cut(all, input.Int(sizeMember), input.Text(tokenMember), defaultSize, tokenErrorCode);
        return new JsonObject { [member] = items.ToJsonList() }.With(nextMember ?? tokenMember, next);
    }

    /// <summary>The same for lists of strings.</summary>
    public static JsonObject AnswerTexts(JsonObject input, IReadOnlyList<string> all, string member, string sizeMember = "MaxResults",
        string tokenMember = "NextToken", int defaultSize = 100, string tokenErrorCode = "InvalidParameterException", string? nextMember = null)
    {
        var (items, next) = Cut(all, input.Int(sizeMember), input.Text(tokenMember), defaultSize, tokenErrorCode);
        return new JsonObject { [member] = items.ToTextList() }.With(nextMember ?? tokenMember, next);
    }

    private static string Token(int start) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"page:{start}"));

    private static int Start(string token, string code)
    {
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(token));
            if (text.StartsWith("page:", StringComparison.Ordinal) && int.TryParse(text[5..], NumberStyles.None, CultureInfo.InvariantCulture, out var start))
            {
                return start;
            }
        }
        catch (FormatException)
        {
            // Not one of ours: refused below like any other.
        }
        throw new ServiceFault(code, "The specified token is invalid or expired.");
    }
}
