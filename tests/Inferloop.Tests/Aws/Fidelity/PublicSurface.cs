using System.Reflection;

namespace Inferloop.Tests.Aws.Fidelity;

/// <summary>Everything a program can see of an assembly's namespace, one line each.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static SortedSet<string> Of(Assembly assembly, string ns)
    {
        SortedSet<string> lines = new(StringComparer.Ordinal);
        foreach (Type type in assembly.GetExportedTypes().Where(t => t.Namespace is { } n && (n == ns || n.StartsWith(ns + ".", StringComparison.Ordinal))))
        {
            string name = type.FullName!;
            string kind = type.IsInterface ? "interface" : type.IsEnum ? "enum" : type.IsValueType ? "struct" : type is { IsAbstract: true, IsSealed: true } ? "static class" : "class";
            lines.Add($"{name}: {kind}{(type.BaseType is { } parent && parent != typeof(object) ? " : " + Name(parent) : "")}");
            foreach (Type implemented in DirectInterfaces(type))
            {
                lines.Add($"{name} implements {Name(implemented)}");
            }

            foreach (string member in Members(type))
            {
                lines.Add($"{name}.{member}");
            }
        }

        return lines;
    }

    private static IEnumerable<string> Members(Type type)
    {
        foreach (ConstructorInfo constructor in type.GetConstructors(Declared).Where(c => !c.IsStatic && IsVisible(c)))
        {
            yield return $"ctor({Parameters(constructor)})";
        }

        foreach (PropertyInfo property in type.GetProperties(Declared))
        {
            string accessors = (property.GetMethod is { } get && IsVisible(get) ? "get;" : "") + (property.SetMethod is { } set && IsVisible(set) ? "set;" : "");
            if (accessors.Length > 0)
            {
                yield return $"{property.Name}: {Name(property.PropertyType)} {accessors}{((property.GetMethod ?? property.SetMethod)!.IsStatic ? " static" : "")}";
            }
        }

        foreach (FieldInfo field in type.GetFields(Declared).Where(f => f.IsPublic || f.IsFamily || f.IsFamilyOrAssembly))
        {
            yield return $"{field.Name}: {Name(field.FieldType)} field{(field.IsStatic ? " static" : "")}{(field.IsStatic && !type.ContainsGenericParameters && field.GetValue(null) is { } value ? " = " + value : "")}";
        }

        foreach (MethodInfo method in type.GetMethods(Declared).Where(m => IsVisible(m) && (!m.IsSpecialName || m.Name.StartsWith("op_", StringComparison.Ordinal))))
        {
            yield return $"{method.Name}({Parameters(method)}): {Name(method.ReturnType)}{(method.IsStatic ? " static" : "")}";
        }
    }

    private static IEnumerable<Type> DirectInterfaces(Type type)
    {
        HashSet<Type> inherited = [.. type.BaseType?.GetInterfaces() ?? []];
        Type[] all = type.GetInterfaces();
        inherited.UnionWith(all.SelectMany(i => i.GetInterfaces()));
        return all.Where(i => !inherited.Contains(i) && i.IsVisible);
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? " = default" : "")}"));

    private static string Name(Type type) =>
        type.IsByRef ? "ref " + Name(type.GetElementType()!)
        : type.IsArray ? Name(type.GetElementType()!) + "[]"
        : Nullable.GetUnderlyingType(type) is { } value ? Name(value) + "?"
        : type.IsGenericType ? $"{type.GetGenericTypeDefinition().FullName!.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : type.FullName ?? type.Name;
}
