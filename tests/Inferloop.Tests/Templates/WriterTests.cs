using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

public class WriterTests
{
    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void Only_the_urls_change(string lineEnd)
    {
        var text = """
            # The root.
            Resources:
              Network:   # nested
                Type: AWS::CloudFormation::Stack
                Properties:
                  TemplateURL:   network.yaml   # beside this file
                  Parameters: {A: "b"}
              Quoted: {Type: "AWS::CloudFormation::Stack", Properties: {TemplateURL: "app.yaml"}}
              Kept: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: !Ref Url}}
              Topic: {Type: AWS::SNS::Topic, Properties: {TemplateURL: network.yaml}}
            Parameters: {Url: {Type: String}}
            """.ReplaceLineEndings(lineEnd);
        var template = Template.Parse(text);
        Assert.Equal([("Network", "network.yaml"), ("Quoted", "app.yaml")], TemplateWriter.NestedTemplates(template).Select(n => (n.LogicalId, n.TemplateUrl)));
        var written = TemplateWriter.ReplaceNestedTemplates(template, (id, url) => $"https://b.s3.amazonaws.com/{id}/it's/{url}");
        Assert.Equal(
            text.Replace("TemplateURL:   network.yaml", "TemplateURL:   'https://b.s3.amazonaws.com/Network/it''s/network.yaml'", StringComparison.Ordinal)
                .Replace("\"app.yaml\"", "'https://b.s3.amazonaws.com/Quoted/it''s/app.yaml'", StringComparison.Ordinal),
            written);
        Assert.Equal("https://b.s3.amazonaws.com/Network/it's/network.yaml", TemplateWriter.NestedTemplates(Template.Parse(written))[0].TemplateUrl);
        Assert.Equal(text, TemplateWriter.ReplaceNestedTemplates(template, (_, _) => null));
    }

    [Fact]
    public void Json_stays_json()
    {
        const string Text = """{ "Resources": { "N": { "Type": "AWS::CloudFormation::Stack", "Properties": { "TemplateURL": "n.json" , "X": 1 } } } }""";
        Assert.Equal(Text.Replace("\"n.json\"", "\"https://x/y\"", StringComparison.Ordinal), TemplateWriter.ReplaceNestedTemplates(Template.Parse(Text), (_, _) => "https://x/y"));
    }
}
