namespace Inferloop.Operations.Specs;

/// <summary>The combinations of CPU and memory that Fargate offers (Amazon ECS developer guide, "Task size").</summary>
internal static class FargateSizes
{
    private static readonly Dictionary<int, int[]> Offered = new()
    {
        [256] = [512, 1024, 2048],
        [512] = Steps(1, 4, 1),
        [1024] = Steps(2, 8, 1),
        [2048] = Steps(4, 16, 1),
        [4096] = Steps(8, 30, 1),
        [8192] = Steps(16, 60, 4),
        [16384] = Steps(32, 120, 8),
    };

    public static bool IsOffered(int cpu, int memory) => Offered.TryGetValue(cpu, out var sizes) && sizes.Contains(memory);

    /// <summary>The memory sizes for a CPU size in words; null for a CPU size that does not exist.</summary>
    public static string? MemoryFor(int cpu) => !Offered.TryGetValue(cpu, out var sizes) ? null
        : sizes.Length <= 4 ? string.Join(", ", sizes) + " MiB"
        : $"{sizes[0]} to {sizes[^1]} MiB in steps of {sizes[1] - sizes[0]}";

    public static int NearestMemory(int cpu, int memory) => Offered[cpu].FirstOrDefault(m => m >= memory, Offered[cpu][^1]);

    private static int[] Steps(int from, int to, int step) => Enumerable.Range(0, ((to - from) / step) + 1).Select(i => (from + (i * step)) * 1024).ToArray();
}
