using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Kubernetes;

namespace Inferloop.Tests.Sandbox.Kubernetes;

/// <summary>The three ways of sending a change to a cluster.</summary>
public sealed class PatchTests
{
    private static string Apply(string document, string patch, string type) =>
        Patches.Apply((JsonObject)JsonNode.Parse(document)!, $"application/{type}+json", Encoding.UTF8.GetBytes(patch)).ToJsonString();

    /// <summary>The examples of RFC 7396, appendix A, whose documents are objects.</summary>
    [Theory]
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"a":null}""", """{}""")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"c"}""", """{"a":["b"]}""", """{"a":["b"]}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("""{}""", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void A_merge_patch(string document, string patch, string result) => Assert.Equal(result, Apply(document, patch, "merge-patch"));

    [Theory]
    [InlineData("""{"a":[1,2]}""", """[{"op":"add","path":"/a/1","value":9}]""", """{"a":[1,9,2]}""")]
    [InlineData("""{"a":[1,2]}""", """[{"op":"add","path":"/a/-","value":9}]""", """{"a":[1,2,9]}""")]
    [InlineData("""{"a":{"b/c":1}}""", """[{"op":"replace","path":"/a/b~1c","value":2}]""", """{"a":{"b/c":2}}""")]
    [InlineData("""{"a":1,"b":2}""", """[{"op":"test","path":"/a","value":1},{"op":"remove","path":"/b"}]""", """{"a":1}""")]
    [InlineData("""{"a":1}""", """[{"op":"move","from":"/a","path":"/b"},{"op":"copy","from":"/b","path":"/c"}]""", """{"b":1,"c":1}""")]
    public void A_JSON_patch(string document, string patch, string result) => Assert.Equal(result, Apply(document, patch, "json-patch"));

    [Theory]
    [InlineData("""[{"op":"test","path":"/a","value":2}]""")]
    [InlineData("""[{"op":"remove","path":"/none"}]""")]
    [InlineData("""[{"op":"replace","path":"/a/b/c","value":2}]""")]
    public void A_JSON_patch_that_does_not_fit_is_refused(string patch) => Assert.Equal(422, Assert.Throws<KubernetesFault>(() => Apply("""{"a":1}""", patch, "json-patch")).Code);

    [Theory]
    [InlineData("""{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]}""", """{"containers":[{"name":"b","image":"2"}]}""", """{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}""")]
    [InlineData("""{"containers":[{"name":"a"},{"name":"b"}]}""", """{"containers":[{"name":"a","$patch":"delete"}]}""", """{"containers":[{"name":"b"}]}""")]
    [InlineData("""{"env":[{"name":"A","value":"1"}]}""", """{"env":[{"name":"B","value":"2"}]}""", """{"env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]}""")]
    [InlineData("""{"ports":[{"containerPort":80,"name":"http"}]}""", """{"ports":[{"containerPort":80,"name":"web"}]}""", """{"ports":[{"containerPort":80,"name":"web"}]}""")]
    [InlineData("""{"args":["a","b"]}""", """{"args":["c"]}""", """{"args":["c"]}""")]
    [InlineData("""{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}""", """{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}""", """{"strategy":{"type":"Recreate"}}""")]
    public void A_strategic_merge_patch_tells_the_entries_of_lists_apart(string document, string patch, string result)
    {
        Assert.Equal(result, Apply(document, patch, "strategic-merge-patch"));
        Assert.Equal(result, Apply(result, patch, "strategic-merge-patch"));
    }

    [Fact]
    public void Other_formats_are_told_to_be_unknown() => Assert.Equal(415, Assert.Throws<KubernetesFault>(() => Apply("{}", "{}", "apply-patch")).Code);
}
