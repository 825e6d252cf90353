namespace Inferloop.Operations;

/// <summary>
/// Lists as PowerShell can take single items from. What the compiler makes of <c>[.. items]</c> for an IReadOnlyList has its indexer hidden in
/// an interface, and there <c>$object.Items[0]</c> quietly gives the whole list.
/// </summary>
internal static class IndexableLists
{
    public static IReadOnlyList<T> Indexable<T>(this IReadOnlyList<T> list) => list is null or T[] or List<T> ? list! : list.ToArray();
}
