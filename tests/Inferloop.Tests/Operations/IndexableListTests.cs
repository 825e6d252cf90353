using System.Reflection;
using System.Runtime.CompilerServices;
using Inferloop.Operations.Costs;

namespace Inferloop.Tests.Operations;

/// <summary>$object.Items[0] is the first item, of whatever list the object was made with.</summary>
public sealed class IndexableListTests
{
    /// <summary>The lists that users get in their hands.</summary>
    public static TheoryData<Type, string> Lists() => new(
        from type in typeof(CostEstimate).Assembly.GetExportedTypes()
        where type.IsClass && !type.IsAbstract
        from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where property.PropertyType is { IsGenericType: true } list && list.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) && property.SetMethod is not null
        select (type, property.Name));

    [Theory]
    [MemberData(nameof(Lists))]
    public void A_list_can_be_indexed(Type type, string name)
    {
        ArgumentNullException.ThrowIfNull(type);
        var property = type.GetProperty(name)!;
        var given = typeof(IndexableListTests).GetMethod(nameof(Made), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(property.PropertyType.GetGenericArguments()).Invoke(null, null);
        var instance = RuntimeHelpers.GetUninitializedObject(type);
        property.SetValue(instance, given);
        var kept = property.GetValue(instance)!.GetType();
        Assert.True(kept.IsArray || kept.GetCustomAttribute<DefaultMemberAttribute>() is not null, $"{type.Name}.{name}: PowerShell cannot index a {kept.Name}; let the setter keep value.Indexable()");
    }

    private static IReadOnlyList<T> Made<T>() => [.. Enumerable.Repeat<T>(default!, 2)];
}
