using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using Amazon.Runtime;

namespace Inferloop.Tests.Aws.Fidelity;

/// <summary>
/// Fills every property of a request, the same way in both assemblies: a value depends only on the path to it.
/// Only properties both types have are filled, so that a newer package does not send more.
/// </summary>
internal sealed class Filler(Type[] common)
{
    private const int Deepest = 5;
    private readonly Dictionary<string, HashSet<string>> properties = common.GroupBy(t => t.FullName!).ToDictionary(
        g => g.Key,
        g => g.Select(t => t.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(p => p.CanWrite).Select(p => p.Name).ToHashSet())
            .Aggregate((a, b) => { a.IntersectWith(b); return a; }));

    public static string PathSeed(string path) => "v" + (Hash(path) % 10_000).ToString(CultureInfo.InvariantCulture) + "é&<\"+/ ";

    public AmazonWebServiceRequest Request(Type type) => (AmazonWebServiceRequest)Structure(type, type.Name, 0);

    private static uint Hash(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 16777619;
        }

        return hash;
    }

    private object Structure(Type type, string path, int depth)
    {
        object instance = Activator.CreateInstance(type, nonPublic: false)!;
        foreach (string name in properties.TryGetValue(type.FullName!, out HashSet<string>? names) ? names.Order(StringComparer.Ordinal) : Enumerable.Empty<string>())
        {
            PropertyInfo property = type.GetProperty(name, BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)!;
            if (Value(property.PropertyType, path + "." + name, depth + 1) is { } value)
            {
                property.SetValue(instance, value);
            }
        }

        return instance;
    }

    private object? Value(Type type, string path, int depth)
    {
        uint hash = Hash(path);
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
        {
            return PathSeed(path);
        }

        if (type == typeof(int))
        {
            return (int)(hash % 1_000_000);
        }

        if (type == typeof(long))
        {
            return (long)hash * 1000;
        }

        if (type == typeof(bool))
        {
            return hash % 2 == 0;
        }

        if (type == typeof(float))
        {
            return (hash % 1000) / 8f;
        }

        if (type == typeof(double))
        {
            return (hash % 100_000) / 7d;
        }

        if (type == typeof(DateTime))
        {
            return new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMilliseconds(hash % 10_000_000);
        }

        if (type == typeof(MemoryStream))
        {
            return new MemoryStream(Encoding.UTF8.GetBytes(PathSeed(path)));
        }

        if (typeof(ConstantClass).IsAssignableFrom(type))
        {
            FieldInfo[] constants = [.. type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.FieldType == type).OrderBy(f => f.Name, StringComparer.Ordinal)];
            return constants.Length == 0 ? Activator.CreateInstance(type, "value") : constants[0].GetValue(null);
        }

        if (depth > Deepest)
        {
            return null;
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>))
        {
            IList list = (IList)Activator.CreateInstance(type)!;
            for (int i = 0; i < 2; i++)
            {
                if (Value(type.GetGenericArguments()[0], $"{path}[{i}]", depth + 1) is { } item)
                {
                    list.Add(item);
                }
            }

            return list;
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>))
        {
            IDictionary map = (IDictionary)Activator.CreateInstance(type)!;
            for (int i = 0; i < 2; i++)
            {
                if (Value(type.GetGenericArguments()[1], $"{path}{{{i}}}", depth + 1) is { } item)
                {
                    map[$"key{i}"] = item;
                }
            }

            return map;
        }

        return type.IsClass && type.Namespace?.StartsWith("Amazon.", StringComparison.Ordinal) == true && !type.IsAbstract && type.GetConstructor(Type.EmptyTypes) is not null
            ? Structure(type, path, depth)
            : null;
    }
}
